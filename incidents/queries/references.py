"""References as people write them."""


def numbers_in(words: str, prefix: str) -> list[int]:
    """The numbers of "INC-7, INC-12" or "7 12", in their order; what is no reference is left out."""
    found = []
    for word in words.replace(",", " ").split():
        number = word.upper().removeprefix(f"{prefix}-")
        if number.isdigit() and len(number) < 16:
            found.append(int(number))
    return list(dict.fromkeys(found))
