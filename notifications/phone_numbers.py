"""Telephone numbers as people write them, brought to the one form every provider takes (E.164)."""

import phonenumbers

from incidents.errors import Invalid

EXAMPLE = "+49 151 23456789"


def normalised(text: str, field: str = "number") -> str:
    """`+4915123456789` from “0049 (151) 23 45 67 89” and the like. Raises Invalid that names the field."""
    written = text.strip()
    if written.startswith("00"):
        written = f"+{written[2:]}"
    if not written.startswith("+"):
        raise Invalid(**{field: f"Begin with the country code, like {EXAMPLE}."})
    try:
        number = phonenumbers.parse(written)
    except phonenumbers.NumberParseException as error:
        if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            raise Invalid(**{field: f"No country has this code. Write the number like {EXAMPLE}."}) from None
        raise Invalid(**{field: f"This is not a telephone number. Write it like {EXAMPLE}."}) from None
    if not phonenumbers.is_valid_number(number):
        country = phonenumbers.region_code_for_country_code(number.country_code or 0)
        raise Invalid(**{field: f"No number like this exists in {country}. Check the digits; leave out a leading 0."})
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def shown(number: str) -> str:
    """The number in groups, as its country writes it; what is no number stays as it is."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def is_landline(number: str) -> bool:
    """Whether no SMS can arrive there, as far as the number itself says."""
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False
    return bool(kind == phonenumbers.PhoneNumberType.FIXED_LINE)
