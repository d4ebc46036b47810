"""Runs system tests: `run.py --list`, `run.py test_shell.Shell.test_pipeline ...`, or all without arguments."""
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent.parent / "tools"))


def names(suite: unittest.TestSuite) -> list[str]:
    found: list[str] = []
    for item in suite:
        found += names(item) if isinstance(item, unittest.TestSuite) else [item.id()]
    return found


def main() -> int:
    loader = unittest.TestLoader()
    if sys.argv[1:] == ["--list"]:
        print("\n".join(names(loader.discover(str(HERE), top_level_dir=str(HERE)))))
        return 1 if loader.errors else 0
    suite = loader.loadTestsFromNames(sys.argv[1:]) if sys.argv[1:] else loader.discover(str(HERE), top_level_dir=str(HERE))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
