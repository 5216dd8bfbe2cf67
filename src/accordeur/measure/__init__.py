"""What an adapted model is worth and what it cost: answers, forgetting, cost."""
