"""What single commands of `fer-bench` do, a file per command; the command line itself is `fer_bench.cli`."""
