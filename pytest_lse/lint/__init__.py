"""The static side: finds the naive patterns in source code without running it."""
