"""Says hello."""


def greeting(name: str) -> str:
    return f"hello, {name}"


if __name__ == "__main__":
    print(greeting("sandbox"))
