"""`python -m accordeur` is the command `accordeur`."""

from accordeur.app.cli import main

if __name__ == "__main__":
    main()
