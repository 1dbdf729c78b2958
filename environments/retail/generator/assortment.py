"""What the shop sells: fifty product types, the options of each, and what an option costs.

A price is in US dollars: the base, plus the surcharge of every chosen option value. Knows nothing
of ids, stock or seeds; `generator.py` picks the variants and adds the noise.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ProductType:
    """`options` maps an option's name to its values, each with its surcharge in dollars."""

    name: str
    base: float
    options: dict[str, dict[str, float]]


def plain(*values: str) -> dict[str, float]:
    """Values that are a matter of taste and cost the same."""
    return dict.fromkeys(values, 0.0)


def rising(step: float, *values: str) -> dict[str, float]:
    """Values from the least to the greatest; each costs `step` more than the one before."""
    return {value: step * rank for rank, value in enumerate(values)}


def _electronics() -> tuple[ProductType, ...]:
    return (
        ProductType(
            "External SSD",
            72,
            {
                "capacity": rising(48, "500GB", "1TB", "2TB", "4TB"),
                "interface": rising(22, "USB-C", "Thunderbolt"),
                "color": plain("graphite", "ice blue", "copper"),
            },
        ),
        ProductType(
            "Memory Card",
            16,
            {
                "capacity": rising(13, "64GB", "128GB", "256GB", "512GB"),
                "speed class": rising(9, "V30", "V60", "V90"),
            },
        ),
        ProductType(
            "Computer Monitor",
            168,
            {
                "screen size": rising(70, "24 inch", "27 inch", "32 inch", "34 inch"),
                "resolution": rising(85, "1080p", "1440p", "4K"),
                "panel": plain("IPS", "VA"),
            },
        ),
        ProductType(
            "Mini Desktop PC",
            410,
            {
                "memory": rising(95, "8GB", "16GB", "32GB"),
                "storage": rising(75, "256GB", "512GB", "1TB"),
                "color": plain("space gray", "white"),
            },
        ),
        ProductType(
            "Wi-Fi Router",
            94,
            {
                "standard": rising(62, "Wi-Fi 5", "Wi-Fi 6", "Wi-Fi 7"),
                "pack": rising(80, "1 unit", "2 units", "3 units"),
            },
        ),
        ProductType(
            "Soundbar",
            149,
            {
                "channels": rising(88, "2.0", "2.1", "5.1"),
                "length": rising(34, "22 inch", "32 inch", "40 inch"),
                "color": plain("black", "silver"),
            },
        ),
        ProductType(
            "Turntable",
            158,
            {
                "drive": rising(66, "belt", "direct"),
                "finish": plain("walnut", "matte black", "white gloss"),
                "bluetooth": rising(38, "no", "yes"),
            },
        ),
        ProductType(
            "Webcam",
            46,
            {
                "resolution": rising(31, "1080p", "2K", "4K"),
                "frame rate": rising(18, "30 fps", "60 fps"),
                "microphone": rising(11, "none", "stereo"),
            },
        ),
        ProductType(
            "Drawing Tablet",
            89,
            {
                "active area": rising(64, "6 inch", "10 inch", "13 inch"),
                "connection": rising(29, "wired", "wireless"),
                "color": plain("black", "berry", "pistachio"),
            },
        ),
        ProductType(
            "Dash Camera",
            84,
            {
                "resolution": rising(37, "1080p", "1440p", "4K"),
                "lenses": rising(49, "front", "front and rear"),
                "storage": rising(16, "32GB", "64GB", "128GB"),
            },
        ),
    )


def _kitchen() -> tuple[ProductType, ...]:
    return (
        ProductType(
            "Chef Knife",
            48,
            {
                "blade length": rising(14, "6 inch", "8 inch", "10 inch"),
                "steel": rising(39, "German", "Japanese"),
                "handle": plain("rosewood", "olive wood", "composite"),
            },
        ),
        ProductType(
            "Cast Iron Skillet",
            29,
            {
                "diameter": rising(11, "8 inch", "10 inch", "12 inch", "14 inch"),
                "coating": rising(24, "seasoned", "enameled"),
                "lid": rising(13, "none", "glass"),
            },
        ),
        ProductType(
            "Dutch Oven",
            76,
            {
                "capacity": rising(33, "3.5 qt", "5 qt", "7 qt"),
                "color": plain("cherry", "lagoon", "oatmeal", "fern"),
            },
        ),
        ProductType(
            "Stand Mixer",
            219,
            {
                "bowl size": rising(58, "4.5 qt", "5.5 qt", "7 qt"),
                "bowl material": rising(27, "steel", "glass"),
                "color": plain("pearl", "aqua", "onyx", "raspberry"),
            },
        ),
        ProductType(
            "Countertop Blender",
            79,
            {
                "power": rising(42, "600 W", "1000 W", "1400 W"),
                "jar material": rising(19, "plastic", "glass"),
                "color": plain("black", "cream"),
            },
        ),
        ProductType(
            "Rice Cooker",
            44,
            {
                "capacity": rising(23, "3 cup", "5 cup", "10 cup"),
                "heating": rising(57, "standard", "induction"),
                "color": plain("white", "charcoal"),
            },
        ),
        ProductType(
            "Air Fryer",
            83,
            {
                "capacity": rising(26, "2 qt", "4 qt", "6 qt", "8 qt"),
                "controls": rising(17, "dial", "touch"),
                "color": plain("black", "sage", "white"),
            },
        ),
        ProductType(
            "Food Storage Set",
            24,
            {
                "pieces": rising(12, "6", "10", "16", "24"),
                "material": rising(15, "plastic", "glass"),
            },
        ),
        ProductType(
            "Insulated Lunch Box",
            22,
            {
                "compartments": rising(7, "1", "2", "3"),
                "pattern": plain("stripes", "plain navy", "botanical", "dots"),
            },
        ),
        ProductType(
            "Wine Glass Set",
            31,
            {
                "pieces": rising(17, "2", "4", "6", "8"),
                "shape": plain("bordeaux", "burgundy", "flute"),
                "material": rising(21, "soda-lime", "crystal"),
            },
        ),
    )


def _home() -> tuple[ProductType, ...]:
    return (
        ProductType(
            "Duvet Cover",
            54,
            {
                "size": rising(16, "twin", "full", "queen", "king"),
                "material": rising(28, "cotton", "bamboo", "linen"),
                "color": plain("ivory", "slate", "terracotta"),
            },
        ),
        ProductType(
            "Memory Foam Pillow",
            37,
            {
                "size": rising(9, "standard", "queen", "king"),
                "firmness": plain("soft", "medium", "firm"),
                "cooling cover": rising(14, "no", "yes"),
            },
        ),
        ProductType(
            "Bath Towel Set",
            27,
            {
                "pieces": rising(13, "2", "4", "6"),
                "weight": rising(11, "450 gsm", "600 gsm", "800 gsm"),
                "color": plain("white", "eucalyptus", "dusk blue"),
            },
        ),
        ProductType(
            "Area Rug",
            92,
            {
                "size": rising(75, "3x5 ft", "5x8 ft", "8x10 ft"),
                "material": rising(67, "jute", "wool"),
                "pattern": plain("solid", "herringbone", "medallion"),
            },
        ),
        ProductType(
            "Floor Lamp",
            78,
            {
                "height": rising(19, "52 inch", "60 inch", "68 inch"),
                "finish": plain("brass", "black", "nickel"),
                "dimmer": rising(15, "no", "yes"),
            },
        ),
        ProductType(
            "Blackout Curtains",
            33,
            {
                "length": rising(10, "63 inch", "84 inch", "96 inch", "108 inch"),
                "header": plain("grommet", "rod pocket"),
                "color": plain("dove gray", "midnight", "sand"),
            },
        ),
        ProductType(
            "Nightstand",
            97,
            {
                "material": rising(46, "pine", "oak", "walnut"),
                "drawers": rising(27, "1", "2", "3"),
            },
        ),
        ProductType(
            "Standing Desk",
            289,
            {
                "width": rising(54, "48 inch", "55 inch", "63 inch", "72 inch"),
                "top": rising(71, "laminate", "bamboo", "solid oak"),
                "frame color": plain("black", "white"),
            },
        ),
        ProductType(
            "Humidifier",
            49,
            {
                "tank": rising(18, "2 L", "4 L", "6 L"),
                "mist": rising(16, "cool", "warm and cool"),
                "color": plain("white", "sky", "blush"),
            },
        ),
        ProductType(
            "Storage Bench",
            134,
            {
                "width": rising(32, "36 inch", "42 inch", "50 inch"),
                "upholstery": rising(48, "canvas", "velvet", "leather"),
                "color": plain("gray", "emerald", "camel"),
            },
        ),
    )


def _clothing() -> tuple[ProductType, ...]:
    return (
        ProductType(
            "Rain Jacket",
            88,
            {
                "size": plain("XS", "S", "M", "L", "XL"),
                "color": plain("mustard", "navy", "olive"),
                "layers": rising(44, "2-layer", "3-layer"),
            },
        ),
        ProductType(
            "Wool Sweater",
            69,
            {
                "size": plain("S", "M", "L", "XL"),
                "neck": plain("crew", "turtleneck", "V-neck"),
                "yarn": rising(47, "lambswool", "merino", "cashmere"),
            },
        ),
        ProductType(
            "Denim Jeans",
            58,
            {
                "waist": plain("28", "30", "32", "34", "36"),
                "fit": plain("slim", "straight", "relaxed"),
                "wash": plain("indigo", "stone", "black"),
                "fabric": rising(19, "stretch", "selvedge"),
            },
        ),
        ProductType(
            "Leather Belt",
            36,
            {
                "length": plain("32 inch", "34 inch", "36 inch", "38 inch"),
                "color": plain("cognac", "black", "espresso"),
                "buckle": rising(14, "nickel", "solid brass"),
            },
        ),
        ProductType(
            "Trail Running Vest",
            81,
            {
                "volume": rising(23, "5 L", "8 L", "12 L"),
                "size": plain("S", "M", "L"),
                "color": plain("lime", "cobalt"),
            },
        ),
        ProductType(
            "Winter Gloves",
            32,
            {
                "size": plain("S", "M", "L", "XL"),
                "material": rising(26, "fleece", "goatskin"),
                "touchscreen": rising(8, "no", "yes"),
            },
        ),
        ProductType(
            "Slip-On Loafers",
            84,
            {
                "size": plain("7", "8", "9", "10", "11"),
                "material": rising(29, "canvas", "suede", "leather"),
                "color": plain("tan", "black", "forest"),
            },
        ),
        ProductType(
            "Merino Socks",
            18,
            {
                "size": plain("S", "M", "L"),
                "pairs": rising(14, "1", "3", "6"),
                "height": plain("ankle", "crew", "knee"),
            },
        ),
        ProductType(
            "Canvas Tote",
            26,
            {
                "capacity": rising(9, "10 L", "16 L", "24 L"),
                "color": plain("natural", "rust", "ink", "moss"),
                "closure": rising(6, "open", "zipper"),
            },
        ),
        ProductType(
            "Sun Hat",
            28,
            {
                "size": plain("S/M", "L/XL"),
                "brim": rising(7, "2 inch", "3 inch", "4 inch"),
                "material": rising(12, "cotton", "straw"),
            },
        ),
    )


def _outdoors_and_leisure() -> tuple[ProductType, ...]:
    return (
        ProductType(
            "Camping Tent",
            139,
            {
                "capacity": rising(72, "2 person", "4 person", "6 person"),
                "season": rising(84, "3-season", "4-season"),
                "color": plain("pumpkin", "spruce"),
            },
        ),
        ProductType(
            "Sleeping Bag",
            74,
            {
                "comfort limit": rising(36, "40 F", "20 F", "0 F"),
                "fill": rising(61, "synthetic", "down"),
                "length": rising(12, "regular", "long"),
            },
        ),
        ProductType(
            "Hard Cooler",
            96,
            {
                "capacity": rising(47, "20 qt", "35 qt", "50 qt", "65 qt"),
                "wheels": rising(32, "no", "yes"),
                "color": plain("seafoam", "tan", "white"),
            },
        ),
        ProductType(
            "Inflatable Kayak",
            198,
            {
                "seats": rising(93, "1", "2", "3"),
                "pump": rising(41, "hand", "electric"),
                "color": plain("red", "teal"),
            },
        ),
        ProductType(
            "Foam Roller",
            19,
            {
                "length": rising(7, "12 inch", "18 inch", "36 inch"),
                "density": plain("medium", "firm"),
                "color": plain("black", "orchid", "turquoise"),
            },
        ),
        ProductType(
            "Tennis Racket",
            88,
            {
                "grip size": plain("4 1/8", "4 1/4", "4 3/8"),
                "frame": rising(63, "aluminum", "composite", "graphite"),
                "strung": rising(22, "no", "yes"),
            },
        ),
        ProductType(
            "Acoustic Guitar",
            176,
            {
                "body": plain("dreadnought", "concert", "parlor"),
                "top wood": rising(86, "laminate", "cedar", "spruce"),
                "pickup": rising(68, "no", "yes"),
            },
        ),
        ProductType(
            "Building Block Set",
            34,
            {
                "pieces": rising(27, "250", "500", "1000", "2000"),
                "theme": plain("harbor", "railway", "castle", "space station"),
            },
        ),
        ProductType(
            "Fountain Pen",
            42,
            {
                "nib": plain("fine", "medium", "broad"),
                "nib material": rising(98, "steel", "gold"),
                "barrel": plain("amber", "midnight blue", "ebonite"),
            },
        ),
        ProductType(
            "Raised Garden Bed",
            67,
            {
                "length": rising(29, "4 ft", "6 ft", "8 ft"),
                "material": rising(34, "galvanized steel", "cedar"),
                "height": rising(18, "12 inch", "18 inch"),
            },
        ),
    )


ASSORTMENT: tuple[ProductType, ...] = (
    *_electronics(),
    *_kitchen(),
    *_home(),
    *_clothing(),
    *_outdoors_and_leisure(),
)
