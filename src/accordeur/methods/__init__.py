"""Ways of adapting a base, one file each; a new file here is a new method."""
