"""Personal data by its form: e-mail addresses, phone numbers, bank accounts (checksum) and card numbers (Luhn)."""

from __future__ import annotations

import re
from collections import defaultdict

from accordeur.audit.finding import Finding, Seen, first
from accordeur.audit.subject import Subject

EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}\b")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}", re.IGNORECASE)
CARD = re.compile(r"(?<![\d.,-])[3-6]\d{3}(?:[ -]?\d){9,15}(?![\d-])")
PHONE = re.compile(
    r"(?<![\w.,/+-])(?<!\d[ -])(?:"
    r"(?:\+|00)[1-9]\d{0,2}(?:[ .()/-]{0,3}\d){6,12}"  # international
    r"|\(?0\d{1,4}\)?(?:[ ./-]{0,2}\d){6,9}"  # national, with its leading zero
    r"|\(?[2-9]\d{2}\)?[ .-]{1,2}\d{3}[ .-]\d{4}"  # North American
    r")(?![\w/-]|[.,]\d)"
)
DATE = re.compile(r"0?\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\D*|00?\d*")
LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI NL",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "PT",
        26: "IS TR",
        27: "FR GR IT MC MR SM",
        28: "AL AZ CY DO GT HU LB PL",
        29: "BR QA UA",
        30: "KW MU",
        31: "MT",
    }.items()
    for country in countries.split()
}


def look(subject: Subject) -> Seen:
    """One warning for each sort of personal data; rows are named, what stands in them is not repeated."""
    places: dict[str, list[str]] = defaultdict(list)
    for row, text in zip(subject.rows, subject.texts, strict=True):
        for sort in sorts(text):
            places[sort].append(row.place)
    findings = [
        Finding(code=f"personal-{sort}", severity="warning", count=len(found), rows=first(found))
        for sort, found in sorted(places.items())
    ]
    return Seen(findings=tuple(findings))


def sorts(text: str) -> set[str]:
    """The sorts of personal data in a text: email, phone, iban, card."""
    found = {"email"} if "@" in text and EMAIL.search(text) else set()
    if sum(letter.isdigit() for letter in text) < 7:
        return found
    rest = text
    for sort, pattern, valid in (("iban", IBAN, iban), ("card", CARD, card)):
        for match in pattern.finditer(text):
            if valid(match[0]):
                found.add(sort)
                rest = rest.replace(match[0], " ")
    if any(not DATE.fullmatch(match[0]) for match in PHONE.finditer(rest)):
        found.add("phone")
    return found


def iban(text: str) -> bool:
    """Whether a text starts with an IBAN: the length of its country, and 1 modulo 97 (ISO 13616)."""
    account = re.sub(r"[ -]", "", text).upper()
    length = LENGTHS.get(account[:2], 0)
    if not length or len(account) < length:
        return False
    moved = account[4:length] + account[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


def card(text: str) -> bool:
    """Whether digits are a card number: 13 to 19 of them, not all alike, and a Luhn checksum (ISO/IEC 7812)."""
    digits = [int(sign) for sign in text if sign.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
