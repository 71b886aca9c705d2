"""The shell around the kernel: moves bytes, holds state, asks what time it is, and decides nothing about money."""
