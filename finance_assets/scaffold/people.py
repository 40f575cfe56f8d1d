"""People: whether a text looks like the name of one, and a column's name speaks of one's age."""

import re

TITLES = {
    *("mr", "mrs", "ms", "miss", "master", "mx", "dr", "prof", "sir", "lady", "rev", "hon"),
    *("herr", "frau", "hr", "fr", "dipl", "ing", "mme", "mlle", "monsieur", "madame", "don"),
    *("dona", "doña", "sr", "sra", "jr", "junior", "senior", "ii", "iii", "iv", "phd", "md"),
}
PARTICLES = {
    *("van", "von", "der", "den", "de", "la", "le", "du", "del", "della", "di", "da", "dos", "das"),
    *("zu", "zum", "zur", "ter", "ten", "bin", "ibn", "al", "el", "y", "e"),
}
# Brackets and quotes stand around a maiden name or the name that one is called by.
AROUND, INITIALS = "()[]\"'“”„‘’,", re.compile(r"(?:[^\W\d_]\.?-?){1,3}\.")
PARTS = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*")
MOST_WORDS = 12


PERSONS = (
    *("person", "customer", "client", "holder", "contact", "employee", "patient", "borrower"),
    *("user", "applicant", "driver", "insured", "member", "student", "passenger", "debtor"),
    *("owner", "subscriber", "guest", "tenant", "worker", "respondent", "participant", "agent"),
    *("recipient", "addressee", "sender", "doctor", "child", "mother", "father", "spouse", "kunde"),
)
# What has an age and is no person. Whatever else it stands beside, an age is taken for a person's:
# that can be seen in the report and undone, and an age among the features is seen by nobody.
THINGS = {
    *("vehicle", "car", "auto", "truck", "fleet", "engine", "battery", "tyre", "aircraft", "plane"),
    *("ship", "vessel", "machine", "equipment", "device", "phone", "system", "asset", "plant"),
    *("account", "acct", "loan", "mortgage", "credit", "debt", "contract", "policy", "card"),
    *("invoice", "order", "ticket", "claim", "product", "item", "stock", "inventory", "file"),
    *("house", "home", "building", "property", "roof", "site", "store", "shop", "company", "firm"),
    *("business", "relationship", "membership", "tenure", "listing", "record", "parcel", "line"),
}


AGES = {"age", "ages", "alter"}


def is_age(name: str) -> bool:
    """Whether a name, as slug() gives it, is the age of a person: that of a vehicle is none.

    The word nearest to it says whose: `policy_holder_age` is a person's, `customer_account_age` is
    none, and `age_at_policy_start` does not say it is a policy's.
    """
    words = [word if word in AGES else word.removesuffix("s") for word in name.split("_")]
    place = next((place for place, word in enumerate(words) if word in AGES), None)
    if place is None:
        return False
    before, after = words[:place], words[place + 1 :]
    if "at" in after:
        after = after[: after.index("at")]
    nearest = [*reversed(before), *after]
    return next((word in PERSONS for word in nearest if word in THINGS or word in PERSONS), True)


def is_full_name(text: str) -> bool:
    """Whether a text is two words or more that begin with a capital letter, but for titles,
    initials and words such as `van`.
    """
    words = [word.strip(AROUND) for word in text.replace(",", ", ").split()]
    words = [word for word in words if word]
    if not 2 <= len(words) <= MOST_WORDS:
        return False
    # Two of them name somebody, and `the House` nobody.
    if sum(word not in PARTICLES for word in words) < 2:
        return False
    spelled = [word for word in words if _is_capital(word) and PARTS.fullmatch(word)]
    others = [word for word in words if word not in spelled]
    has_name = any(len(w) > 1 and w.lower() not in TITLES for w in spelled)
    return has_name and all(map(_goes_along, others))


def _is_capital(word: str) -> bool:
    return word[0].istitle()


def _goes_along(word: str) -> bool:
    """Whether a word is a title, an initial, or stands between the parts of a name."""
    plain = word.strip(".").lower()
    is_initial = _is_capital(word) and INITIALS.fullmatch(word) is not None
    return plain in TITLES or word in PARTICLES or is_initial
