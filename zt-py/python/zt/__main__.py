"""`python -m zt`: the console command of the package."""

from zt._console import main

if __name__ == "__main__":
    raise SystemExit(main())
