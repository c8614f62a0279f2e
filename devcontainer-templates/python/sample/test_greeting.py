import unittest

from greeting import greeting


class GreetingTest(unittest.TestCase):
    def test_it_names_who_is_greeted(self) -> None:
        self.assertEqual(greeting("you"), "hello, you")


if __name__ == "__main__":
    unittest.main()
