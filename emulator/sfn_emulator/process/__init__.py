"""Keep an emulator's files, variables and child processes."""
