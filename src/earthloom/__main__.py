"""`python -m earthloom`."""

from earthloom.cli import main

if __name__ == "__main__":
    main()
