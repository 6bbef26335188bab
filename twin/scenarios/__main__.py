"""`python -m twin.scenarios`: the process that computes runs."""

from twin.scenarios.worker import main

if __name__ == "__main__":
    main()
