"""What the tests of the doctor share."""

from conftest_doctor import doctor

__all__ = ["doctor"]
