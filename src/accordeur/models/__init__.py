"""The concrete adapted models, few and final; `reopen` finds them by file name."""
