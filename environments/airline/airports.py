"""The airports that `list_all_airports` names: {iata, city} in order."""

from environments.core.state import Record

STRICT_AIRPORTS: list[Record] = [
    {"iata": iata, "city": city}
    for iata, city in (
        ("SFO", "San Francisco"),
        ("JFK", "New York"),
        ("LAX", "Los Angeles"),
        ("ORD", "Chicago"),
        ("DFW", "Dallas"),
        ("DEN", "Denver"),
        ("SEA", "Seattle"),
        ("ATL", "Atlanta"),
        ("MIA", "Miami"),
        ("BOS", "Boston"),
        ("PHX", "Phoenix"),
        ("IAH", "Houston"),
        ("LAS", "Las Vegas"),
        ("MCO", "Orlando"),
        ("EWR", "Newark"),
        ("CLT", "Charlotte"),
        ("MSP", "Minneapolis"),
        ("DTW", "Detroit"),
        ("PHL", "Philadelphia"),
        ("LGA", "LaGuardia"),
    )
]
"""The reference's constant (SPEC §3.2)."""

CITIES: dict[str, tuple[str, ...]] = {
    "New York": ("JFK", "LGA", "EWR"),
    "San Francisco": ("SFO", "OAK", "SJC"),
    "Chicago": ("ORD", "MDW"),
    "Los Angeles": ("LAX", "BUR"),
    "Dallas": ("DFW", "DAL"),
    "Houston": ("IAH", "HOU"),
    "Miami": ("MIA", "FLL"),
    "Washington": ("DCA", "IAD"),
    "Atlanta": ("ATL",),
    "Boston": ("BOS",),
    "Charlotte": ("CLT",),
    "Denver": ("DEN",),
    "Detroit": ("DTW",),
    "Las Vegas": ("LAS",),
    "Minneapolis": ("MSP",),
    "Orlando": ("MCO",),
    "Philadelphia": ("PHL",),
    "Phoenix": ("PHX",),
    "Seattle": ("SEA",),
}
"""City → its airports, in our own worlds: the reference's airports and nine more, those of one area under one name."""

OWN_AIRPORTS: list[Record] = [
    {"iata": iata, "city": city}
    for city, airports in CITIES.items()
    for iata in airports
]
