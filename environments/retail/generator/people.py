"""Names, streets and cities that invented customers are made of.

Every city has the state it lies in and a range of its real ZIP codes, so an address is consistent.
"""

from typing import NamedTuple

_FIRST_NAMES = """
    Abigail Adrian Agnes Alban Alma Amos Anders Anika Astrid Aurora Beatrix Benedict Bettina
    Bianca Boris Bridget Bruno Calvin Camila Casper Cecilia Clara Clement Colette Conrad
    Cora Cyrus Dahlia Damian Daphne Delia Desmond Dorian Edgar Edith Efua Elias Elsa Emil
    Enid Esther Ezra Felix Fiona Flora Gareth Gemma Gideon Giselle Greta Gustav Hazel Hector
    Helena Henrik Hiroshi Hugo Ida Imani Ines Ingrid Iris Jasper Joanna Jonas Josephine
    Jovan Judith Kamala Keiko Kenji Kira Lars Leona Leopold Lila Linnea Lorenzo Lydia Mabel
    Magnus Maren Marisol Matilda Maxine Mercy Milo Miriam Nadia Naomi Nestor Nikolai Nora
    Octavia Odette Orson Otis Paloma Pavel Penelope Petra Phoebe Quentin Ramona Reuben
    Rosalind Rufus Sabine Salma Selma Silas Simone Soren Stella Sybil Tamsin Thaddeus Theo
    Tobias Uma Ursula Valentina Vera Viola Walter Wendell Wilhelmina Willa Xavier Yvonne
    Zara Zelda
"""

_LAST_NAMES = """
    Abara Abbott Acheson Adeyemi Albrecht Ambrose Andrade Arslan Ashworth Baptiste Barlow
    Beckett Bellamy Bergstrom Bianchi Blackwood Bouchard Brandt Calloway Carmichael
    Castellano Chaudhary Clarke Coleman Conti Crawford Dalgaard Danforth Delacroix Dhillon
    Diallo Donovan Drummond Dubois Eastman Ekstrom Ellery Falk Farouk Ferrante Finch Fischer
    Fontaine Forsyth Gallagher Garrison Goddard Greenwood Grimaldi Hadley Halvorsen Hargrove
    Hashimoto Hawthorne Holloway Horvath Ibarra Iyer Janssen Jefferies Kamau Kapoor
    Kensington Kessler Kowalski Kruger Lachance Langley Laurent Lindqvist Lockhart Lombardi
    Lund Maddox Mancini Marchetti Marlowe Mbeki McAllister Mendonca Merriweather Montague
    Moreau Nakagawa Navarro Nyberg Obrien Okafor Olander Osborne Pacheco Palmer Pemberton
    Petrov Prescott Quigley Radcliffe Ramaswamy Ravenna Reinholt Ridley Romano Sakamoto
    Sandoval Schreiber Sinclair Sorensen Stanhope Sullivan Takahashi Tanaka Thackeray
    Thornton Tremblay Underwood Valdez Vance Vasquez Verhoeven Wainwright Wakefield Whitaker
    Winslow Woodruff Yamamoto Yardley Zamora Zielinski
"""

FIRST_NAMES: tuple[str, ...] = tuple(_FIRST_NAMES.split())
LAST_NAMES: tuple[str, ...] = tuple(_LAST_NAMES.split())

STREETS: tuple[str, ...] = tuple(
    f"{name} {kind}"
    for name in (
        "Alder", "Amberwood", "Bayberry", "Birchfield", "Canal", "Clearwater", "Copper Mill",
        "Dogwood", "Ferry", "Foundry", "Garnet", "Granite", "Harbor", "Heather", "Ivy", "Juniper",
        "Kestrel", "Lantern", "Larkspur", "Magnolia", "Meadowbrook", "Mercer", "Millstone", "Orchard",
        "Pebble", "Quarry", "Rosewood", "Saddle", "Tamarack", "Thistle", "Union", "Vineyard",
    )
    for kind in ("Street", "Avenue", "Lane", "Court", "Way")
)  # fmt: skip

UNITS: tuple[str, ...] = ("Apt", "Unit", "Floor", "Suite")


class City(NamedTuple):
    name: str
    state: str
    first_zip: int
    last_zip: int


CITIES: tuple[City, ...] = (
    City("Albuquerque", "NM", 87102, 87123),
    City("Anchorage", "AK", 99501, 99508),
    City("Atlanta", "GA", 30303, 30319),
    City("Baltimore", "MD", 21201, 21218),
    City("Boise", "ID", 83702, 83709),
    City("Boston", "MA", 2108, 2136),
    City("Buffalo", "NY", 14201, 14228),
    City("Burlington", "VT", 5401, 5408),
    City("Charleston", "SC", 29401, 29414),
    City("Cincinnati", "OH", 45202, 45255),
    City("Cleveland", "OH", 44102, 44135),
    City("Des Moines", "IA", 50309, 50321),
    City("Detroit", "MI", 48201, 48228),
    City("El Paso", "TX", 79901, 79936),
    City("Fresno", "CA", 93701, 93730),
    City("Hartford", "CT", 6103, 6120),
    City("Honolulu", "HI", 96813, 96826),
    City("Kansas City", "MO", 64105, 64139),
    City("Las Vegas", "NV", 89101, 89149),
    City("Little Rock", "AR", 72201, 72212),
    City("Louisville", "KY", 40202, 40220),
    City("Madison", "WI", 53703, 53719),
    City("Memphis", "TN", 38103, 38141),
    City("Miami", "FL", 33125, 33190),
    City("Milwaukee", "WI", 53202, 53228),
    City("Minneapolis", "MN", 55401, 55419),
    City("Nashville", "TN", 37201, 37221),
    City("New Orleans", "LA", 70112, 70131),
    City("Oklahoma City", "OK", 73102, 73135),
    City("Omaha", "NE", 68102, 68137),
    City("Pittsburgh", "PA", 15201, 15243),
    City("Portland", "OR", 97201, 97233),
    City("Providence", "RI", 2903, 2909),
    City("Raleigh", "NC", 27601, 27617),
    City("Richmond", "VA", 23219, 23238),
    City("Sacramento", "CA", 95811, 95838),
    City("Salt Lake City", "UT", 84101, 84124),
    City("Savannah", "GA", 31401, 31411),
    City("Spokane", "WA", 99201, 99218),
    City("St. Louis", "MO", 63101, 63147),
    City("Tampa", "FL", 33602, 33637),
    City("Tucson", "AZ", 85701, 85757),
    City("Tulsa", "OK", 74103, 74137),
    City("Wichita", "KS", 67202, 67230),
)
