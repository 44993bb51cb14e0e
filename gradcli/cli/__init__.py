"""What a person types and sees: the words of the command line, the commands, and their layout."""
