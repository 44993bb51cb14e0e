"""What the tests derived from the table are made of: its functions' calls, the exact answers, and the checks."""
