"""What is advertised: brands with their products, and the concept that an ad shows one by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ANGLES",
    "FORMS",
    "KEA",
    "KETTLE",
    "NORDLICHT",
    "ODDITIES",
    "Angle",
    "Brand",
    "Concept",
    "Product",
    "title_of",
]

#: What a creative is made of. `feed` gives Meta several texts and pictures to choose from
#: (asset_feed_spec), `template` takes them from a catalog of products.
FORMS: Final = ("link", "photo", "video", "carousel", "feed", "template")


@dataclass(frozen=True, slots=True)
class Product:
    """`path` is its landing page on the brand's site, or a whole address. `subject` is a drawing of
    `pictures`. `price` is in major units of a euro.
    """

    name: str
    path: str
    subject: str
    price: int


@dataclass(frozen=True, slots=True)
class Brand:
    """`site` without a slash at its end; `colour` as red, green, blue."""

    name: str
    site: str
    colour: tuple[int, int, int]
    products: Sequence[Product]


@dataclass(frozen=True, slots=True)
class Angle:
    """How an ad argues: its texts, in which {product} and {brand} are filled in."""

    title: str
    body: str
    description: str
    call_to_action: str = "SHOP_NOW"


@dataclass(frozen=True, slots=True)
class Concept:
    """What an ad shows: a product, by an angle (a key of `ANGLES`), in a form, in a version."""

    product: Product
    angle: str
    form: str
    version: int = 1


#: How people who make ads call each form.
FORM_NAMES: Final[Mapping[str, str]] = {
    "link": "Static 1:1",
    "photo": "Photo 4:5",
    "video": "Video 9:16",
    "carousel": "Carousel",
    "feed": "Flexible",
    "template": "Catalog",
}


def title_of(concept: Concept) -> str:
    """What the people who made an ad call it."""
    form = FORM_NAMES[concept.form]
    return f"{concept.product.name} | {concept.angle} | {form} | v{concept.version}"


ANGLES: Final[Mapping[str, Angle]] = {
    "Benefit": Angle(
        "{product}: made for every day",
        "Made to last, easy to repair, sent out tomorrow. That is {product} by {brand}.",
        "Free delivery and returns",
    ),
    "UGC": Angle(
        "“Still my favourite”",
        "“Three months in, and I have not gone a day without it.” What people say about {product}.",
        "4.8 of 5 from 2,300 reviews",
    ),
    "Founder": Angle(
        "Why we made {product}",
        "Two years, eleven prototypes, one workshop. The story behind {product}.",
        "Read how it began",
        "LEARN_MORE",
    ),
    "Bestseller": Angle(
        "{product}: back in stock",
        "Sold out twice this year. {product} is back, while it lasts.",
        "Bestseller by {brand}",
    ),
    "Offer": Angle(
        "20 % off {product}",
        "This week only: 20 % off {product}. The price is cut in the basket.",
        "Ends on Sunday",
        "GET_OFFER",
    ),
    "Reminder": Angle(
        "Still thinking about {product}?",
        "It is still in your basket. Free returns within 30 days, if it is not the one.",
        "Free returns within 30 days",
    ),
    "Catalog": Angle(
        "{{{{product.name}}}}",
        "Seen at {brand}, and still there: {{{{product.name}}}}.",
        "{{{{product.price}}}}",
    ),
    "Loyalty": Angle(
        "New for regulars: {product}",
        "You were here before the others, so you get {product} before them too.",
        "For customers of {brand}",
    ),
    "Guide": Angle(
        "The guide to {product}",
        "Twelve pages, no advertising: what to look for in {product}, by the people who make them.",
        "Free, as a PDF",
        "SIGN_UP",
    ),
}

#: What creatives of the hostile world lead to: addresses that hurt those who take them apart.
ODDITIES: Final = Brand(
    "Sandbox",
    "https://shop.example",
    (88, 74, 120),
    (
        Product("Shoe", "/shoe", "boot", 90),
        Product("Jacket", "/jacket?utm_source=fb&utm_source=ig&ref=1", "jacket", 200),
        Product("Tent", "/zelt?utm_campaign=Fr%C3%BChjahr%20%26%20mehr+%E2%9C%93", "tent", 300),
        Product("Bottle", "/bottle?UTM_Source=Facebook&utm_medium=", "bottle", 30),
        Product("Cup", "/cup#?utm_source=behind_the_hash", "cup", 20),
        Product("Tin", "/東京/tin?utm_content={now}&utm_term=a=b=c", "tin", 15),
        Product("Kayak", "sandbox-app://kayak/1?utm_source=app", "kayak", 900),
        Product("Teapot", "/teapot?utm_campaign=100%&utm_id=%FF%ZZ", "teapot", 40),
    ),
)

NORDLICHT: Final = Brand(
    "Nordlicht",
    "https://www.nordlicht.example",
    (24, 86, 120),
    (
        Product("Rain Jacket", "/products/rain-jacket", "jacket", 189),
        Product("Trail Backpack", "/products/trail-backpack", "backpack", 119),
        Product("Hiking Boots", "/products/hiking-boots", "boot", 159),
        Product("Two-Person Tent", "/products/two-person-tent", "tent", 329),
        Product("Steel Bottle", "/products/steel-bottle", "bottle", 34),
    ),
)

KETTLE: Final = Brand(
    "Kettle & Leaf",
    "https://kettleandleaf.example",
    (40, 112, 84),
    (
        Product("First Flush", "/tea/first-flush", "tin", 24),
        Product("Glass Teapot", "/ware/glass-teapot", "teapot", 59),
        Product("Travel Cup", "/ware/travel-cup", "cup", 32),
        Product("Breakfast Blend", "/tea/breakfast-blend", "tin", 18),
    ),
)

KEA: Final = Brand(
    "Kea Kayaks",
    "https://keakayaks.example",
    (178, 74, 40),
    (
        Product("Day Tour", "/tours/day-tour", "kayak", 85),
        Product("Kayak Hire", "/hire", "kayak", 55),
    ),
)
