"""What a base model is made of: tokenizers, n-gram models, pretraining objectives, and the embedded base."""
