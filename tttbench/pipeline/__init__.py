"""Running systems on tasks: requests in, answers in the run directory."""
