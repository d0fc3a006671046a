"""What is made of a frame: files with labels for other programs."""
