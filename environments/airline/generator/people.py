"""Names, streets and towns that invented customers are made of. Every town has its state and a range of its real ZIP codes."""

from typing import NamedTuple

_FIRST_NAMES = """
    Adela Alaric Amaya Ansel Anneke Arlo Aurelia Barnaby Basil Bertil Birgit Blythe Bram Briony
    Calista Caspian Cedric Celeste Clemens Cosima Crispin Dagny Dalia Darius Delphine Dieter
    Dorothea Eamon Edda Eitan Elodie Elspeth Emeric Enzo Esme Evander Farah Fergus Filippa Florian
    Freya Gerda Gilbert Ginevra Gwen Hadley Halina Hamish Henrike Idris Ilse Imogen Ione Isolde
    Ivo Jago Jarek Jocasta Juno Kaspar Katya Kerensa Lachlan Leif Leonie Linus Lorelei Lucian
    Ludmila Maeve Malachi Marguerite Mattias Merle Mirela Muriel Nils Noor Ansgar Odile Olwen
    Oswin Otto Padma Percival Perpetua Pilar Quincy Rafaela Rhys Roderick Romilly Rosalba Rufina
    Samira Saskia Sigrid Solveig Sunniva Svea Tadeusz Tancred Tilda Torsten Ulla Valdis Verity
    Vesna Viggo Waldo Wanda Wilfred Winifred Yannick Ysolde Zelie Zenobia
"""

_LAST_NAMES = """
    Abernathy Achterberg Aldridge Ashdown Aubrey Balakrishnan Bancroft Beaumont Bexley Bjornstad
    Blakeney Bonaventura Brackett Brannigan Cadwell Carrington Cavendish Chevalier Colbert Corrigan
    Cullinane Dashwood Delgado Devereux Dragomir Eberhart Ellsworth Engstrom Everard Fairbanks
    Farrington Fenwick Fitzroy Fothergill Galbraith Gillespie Grantham Greaves Gunnarsson Haldane
    Hammersmith Hathaway Heidrich Hollander Huxtable Ingersoll Iwasaki Jellicoe Kaczmarek
    Karlsson Kinsella Kirkwood Koskinen Lamont Larkin Ledbetter Lindholm Lovelace MacLeod
    Magnusson Marchbanks Mellencamp Middleton Moncrieff Mulligan Nakashima Nightingale Norquist
    Oakenfold Ogilvie Oyelaran Papadakis Peverell Pickering Pomeroy Quimby Rademaker Ravenscroft
    Rosenthal Rutherford Sallow Scarborough Seagrave Selwyn Shackleton Silverstein Somerset
    Stavros Sutherland Szymanski Talbot Tarkowski Teixeira Thistlewood Trevelyan Tremaine
    Ullrich Vandermeer Villanueva Voorhees Wadsworth Warrick Wetherby Whitlock Wolcott Worthing
    Wyndham Yarborough Zabriskie Zeller
"""

FIRST_NAMES: tuple[str, ...] = tuple(_FIRST_NAMES.split())
LAST_NAMES: tuple[str, ...] = tuple(_LAST_NAMES.split())

STREETS: tuple[str, ...] = tuple(
    f"{name} {kind}"
    for name in (
        "Alderney", "Beacon", "Briar", "Cannery", "Chandler", "Cobble", "Drover", "Elderberry", "Fathom", "Gable",
        "Hawthorn", "Holloway", "Kiln", "Lamplight", "Linden", "Marlow", "Mistral", "Orchid", "Osprey", "Plover",
        "Quayside", "Ropewalk", "Sable", "Sexton", "Spindle", "Tannery", "Teasel", "Tern", "Weaver", "Willow",
    )
    for kind in ("Street", "Road", "Terrace", "Drive", "Square")
)  # fmt: skip


class Town(NamedTuple):
    name: str
    state: str
    first_zip: int
    last_zip: int


TOWNS: tuple[Town, ...] = (
    Town("Atlanta", "GA", 30303, 30319),
    Town("Berkeley", "CA", 94702, 94710),
    Town("Boston", "MA", 2108, 2136),
    Town("Burbank", "CA", 91501, 91506),
    Town("Charlotte", "NC", 28202, 28217),
    Town("Chicago", "IL", 60601, 60661),
    Town("Dallas", "TX", 75201, 75254),
    Town("Denver", "CO", 80202, 80239),
    Town("Detroit", "MI", 48201, 48228),
    Town("Evanston", "IL", 60201, 60203),
    Town("Fort Lauderdale", "FL", 33301, 33334),
    Town("Houston", "TX", 77002, 77099),
    Town("Jersey City", "NJ", 7302, 7311),
    Town("Las Vegas", "NV", 89101, 89149),
    Town("Los Angeles", "CA", 90004, 90068),
    Town("Miami", "FL", 33125, 33190),
    Town("Minneapolis", "MN", 55401, 55419),
    Town("New York", "NY", 10001, 10040),
    Town("Orlando", "FL", 32801, 32839),
    Town("Philadelphia", "PA", 19102, 19154),
    Town("Phoenix", "AZ", 85003, 85054),
    Town("San Francisco", "CA", 94102, 94134),
    Town("San Jose", "CA", 95110, 95148),
    Town("Seattle", "WA", 98101, 98199),
    Town("Washington", "DC", 20001, 20020),
)
