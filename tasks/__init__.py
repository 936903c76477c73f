"""The tasks, one file each. A file here is found by itself: adding a task changes no other file."""
