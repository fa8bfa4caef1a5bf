"""What became of the instances, in words for readers and programs. Knows no network and no command line."""
