"""Made-up people: names, addresses and contact points. Each is computed from a key. No real person is described."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ops_project.simulator.population import Population
from ops_project.simulator.world import Ints

FIRST_NAMES = (
    "Ada",
    "Amir",
    "Ana",
    "Ben",
    "Carla",
    "Chen",
    "Dara",
    "Diego",
    "Elena",
    "Emil",
    "Farah",
    "Felix",
    "Grace",
    "Hana",
    "Hugo",
    "Ines",
    "Ivan",
    "Jonas",
    "Julia",
    "Kai",
    "Lena",
    "Luis",
    "Maya",
    "Milo",
    "Nadia",
    "Noah",
    "Olga",
    "Omar",
    "Paula",
    "Priya",
    "Rafael",
    "Rosa",
    "Sam",
    "Sara",
    "Tariq",
    "Tess",
    "Uma",
    "Victor",
    "Wei",
    "Yara",
)
LAST_NAMES = (
    "Abbott",
    "Alvarez",
    "Bauer",
    "Becker",
    "Brooks",
    "Castillo",
    "Chandra",
    "Clarke",
    "Costa",
    "Dietrich",
    "Dubois",
    "Evans",
    "Fischer",
    "Fontaine",
    "Garcia",
    "Greene",
    "Haddad",
    "Hansen",
    "Hughes",
    "Ito",
    "Jensen",
    "Kaplan",
    "Keller",
    "Kowalski",
    "Lambert",
    "Lopez",
    "Marsh",
    "Mendes",
    "Moreau",
    "Nakamura",
    "Novak",
    "O'Brien",
    "Okafor",
    "Olsen",
    "Patel",
    "Pereira",
    "Quinn",
    "Reyes",
    "Rossi",
    "Santos",
    "Schmidt",
    "Shah",
    "Silva",
    "Stone",
    "Tanaka",
    "Torres",
    "Vogel",
    "Walsh",
    "Weber",
    "Young",
)
STREETS = ("Ash", "Bridge", "Canal", "Church", "Elm", "Garden", "Hill", "Lake", "Mill", "Park", "River", "Station")
# City, state, and first three digits of its postal codes. Some codes begin with 0, which a reader of numbers would
# lose.
CITIES = (
    ("Boston", "MA", "021"),
    ("Hartford", "CT", "061"),
    ("Newark", "NJ", "071"),
    ("New York", "NY", "100"),
    ("Albany", "NY", "122"),
    ("Pittsburgh", "PA", "152"),
    ("Baltimore", "MD", "212"),
    ("Raleigh", "NC", "276"),
    ("Atlanta", "GA", "303"),
    ("Miami", "FL", "331"),
    ("Nashville", "TN", "372"),
    ("Columbus", "OH", "432"),
    ("Detroit", "MI", "482"),
    ("Milwaukee", "WI", "532"),
    ("Chicago", "IL", "606"),
    ("St. Louis", "MO", "631"),
    ("New Orleans", "LA", "701"),
    ("Dallas", "TX", "752"),
    ("Denver", "CO", "802"),
    ("Phoenix", "AZ", "850"),
    ("Los Angeles", "CA", "900"),
    ("San Francisco", "CA", "941"),
    ("Portland", "OR", "972"),
    ("Seattle", "WA", "981"),
)


def choice(values: Sequence[str], index: Ints) -> pa.Array:
    """The text of each index, as an Arrow dictionary. So no Python string is made for each row."""
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), pa.array(list(values)))


def names(population: Population, keys: Ints) -> dict[str, pa.Array]:
    """The columns first_name, last_name and phone_digits."""
    return {
        "first_name": choice(FIRST_NAMES, population.pick("first_name", keys, len(FIRST_NAMES))),
        "last_name": choice(LAST_NAMES, population.pick("last_name", keys, len(LAST_NAMES))),
        "phone_digits": pa.array(2_000_000 + population.pick("phone", keys, 8_000_000)),
    }


def addresses(population: Population, keys: Ints, moves: Ints) -> dict[str, pa.Array]:
    """The columns of an address, with the postal code in two parts. A person has another address after each move."""
    city = population.pick("city", keys, len(CITIES), moves)
    return {
        "house": pa.array(1 + population.pick("house", keys, 998, moves)),
        "street_name": choice(STREETS, population.pick("street", keys, len(STREETS), moves)),
        "city": choice([name for name, _, _ in CITIES], city),
        "state": choice([state for _, state, _ in CITIES], city),
        "postal_prefix": choice([prefix for _, _, prefix in CITIES], city),
        "postal_rest": pa.array(population.pick("postal", keys, 100, moves)),
    }


# SQL over the columns above. The domain example.com and the numbers with 555 are reserved, so no message can reach a
# real person.
EMAIL_SQL = "lower(replace(first_name, '''', '') || '.' || replace(last_name, '''', '')) || key || '@example.com'"
PHONE_SQL = "'+1-555-' || phone_digits"
STREET_SQL = "house || ' ' || street_name || ' Street'"
POSTAL_SQL = "postal_prefix || lpad(postal_rest::VARCHAR, 2, '0')"
