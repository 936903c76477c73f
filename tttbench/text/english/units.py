"""Units behind a number as words: ``5 km`` and ``five kilometres`` are ``5 kilometers``. Knows tokens with digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tttbench.text.decimals import is_number

_FORMS: Mapping[str, str] = {
    "kilometers": "km kilometer kilometre kilometres",
    "meters": "m meter metre metres",
    "centimeters": "cm centimeter centimetre centimetres",
    "millimeters": "mm millimeter millimetre millimetres",
    "miles": "mi mile",
    "yards": "yd yds yard",
    "feet": "ft foot",
    "inches": "inch",
    "kilograms": "kg kgs kilo kilos kilogram kilogramme kilogrammes",
    "grams": "g gram gramme grammes",
    "milligrams": "mg milligram",
    "tons": "ton",
    "tonnes": "tonne",
    "ounces": "oz ounce",
    "liters": "l liter litre litres",
    "milliliters": "ml milliliter millilitre millilitres",
    "gallons": "gal gallon",
    "hours": "h hr hrs hour",
    "minutes": "min mins minute",
    "seconds": "s sec secs second",
    "milliseconds": "ms msec millisecond",
    "hertz": "hz",
    "kilohertz": "khz",
    "megahertz": "mhz",
    "gigahertz": "ghz",
    "volts": "volt",
    "watts": "watt",
    "kilowatts": "kw kilowatt",
    "megawatts": "mw megawatt",
    "kilobytes": "kb kilobyte",
    "megabytes": "mb megabyte",
    "gigabytes": "gb gigabyte",
    "terabytes": "tb terabyte",
    "degrees": "\u00b0 degree",
}
_UNITS: Mapping[str, str] = {form: unit for unit, forms in _FORMS.items() for form in (unit, *forms.split())}
_SPEEDS: Mapping[str, tuple[str, ...]] = {
    "mph": ("miles", "per", "hour"),
    "kmh": ("kilometers", "per", "hour"),
    "kph": ("kilometers", "per", "hour"),
}
_POWERS: Mapping[str, str] = {
    "square": "square",
    "sq": "square",
    "squared": "square",
    "cubic": "cubic",
    "cu": "cubic",
    "cubed": "cubic",
}
_NAMES = frozenset({*_UNITS, *_SPEEDS, *_POWERS, "/"})
_PER: Mapping[str, str] = {"h": "hour", "hr": "hour", "hour": "hour", "s": "second", "sec": "second", "min": "minute"}
_SCALES_OF_HEAT: Mapping[str, str] = {"c": "celsius", "centigrade": "celsius", "f": "fahrenheit", "celsius": "celsius"}


def read_units(tokens: Sequence[str]) -> list[str]:
    """Return the tokens with the units behind numbers in full, in the plural."""
    if _NAMES.isdisjoint(tokens):
        return list(tokens)
    found: list[str] = []
    at = 0
    while at < len(tokens):
        is_unit = at > 0 and is_number(tokens[at - 1].removeprefix("-"))
        unit, at = _unit(tokens, at) if is_unit else ((tokens[at],), at + 1)
        found += unit
    return [token for token in found if token not in ("\u00b0", "/")]


def _unit(tokens: Sequence[str], at: int) -> tuple[tuple[str, ...], int]:
    """The words of the unit at ``at``, or the token there, and the index behind them."""
    token = tokens[at]
    if token in _SPEEDS:
        return _SPEEDS[token], at + 1
    if (power := _POWERS.get(token)) and _at(tokens, at + 1) in _UNITS:
        return (power, _UNITS[tokens[at + 1]]), at + 2
    unit = _UNITS.get(token)
    if unit is None:
        return (token,), at + 1
    following = _at(tokens, at + 1)
    if following in ("squared", "cubed"):
        return (_POWERS[following], unit), at + 2
    if following == "/" and (per := _PER.get(_at(tokens, at + 2))):
        return (unit, "per", per), at + 3
    if unit == "degrees" and (scale := _SCALES_OF_HEAT.get(following)):
        return (unit, scale), at + 2
    return (unit,), at + 1


def _at(tokens: Sequence[str], at: int) -> str:
    return tokens[at] if at < len(tokens) else ""
