"""`python -m twinbook_sandbox` starts the sandbox."""

from twinbook_sandbox.command import sandbox

if __name__ == "__main__":
    sandbox(prog_name="python -m twinbook_sandbox")
