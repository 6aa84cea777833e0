"""What a creative shows and where it leads, worked out from its account and its concept.

Creatives store nothing of it, so that an account with 20,000 of them takes no more memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.world.advertisers.brands import ANGLES, FORMS, Angle, Concept
from fbgraph.sandbox.world.creatives.pictures import Picture
from fbgraph.sandbox.world.dice import dice, digits
from fbgraph.sandbox.world.nodes import creative_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fbgraph.sandbox.world.advertisers.brands import Brand, Product
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["Card", "Content", "Video", "content_of", "cover_of"]

#: Sizes of pictures by form: square, or upright as a video is.
SQUARE: Final = (1080, 1080)
UPRIGHT: Final = (1080, 1920)

#: Cards of a carousel, and texts and pictures of a feed.
CARDS: Final = 4
CHOICES: Final = 3

#: Tags that Meta fills in when somebody clicks.
MACROS: Final = (
    "utm_source=facebook&utm_medium=paid_social&utm_campaign={{campaign.name}}"
    "&utm_content={{ad.name}}&utm_term={{adset.name}}"
)

#: The tags in the link, and those in `url_tags`; one of these pairs for each creative.
TAGGED: Final[Sequence[tuple[str, str]]] = (
    ("", MACROS),
    ("", MACROS),
    ("utm_source=facebook&utm_medium=paid_social&utm_campaign={slug}", ""),
    (
        "utm_source=facebook&utm_medium=paid_social",
        "utm_campaign={{campaign.name}}&utm_content={{ad.name}}",
    ),
    ("", MACROS + "&utm_id={{campaign.id}}&site={{site_source_name}}&placement={{placement}}"),
    ("", ""),
)


@dataclass(frozen=True, slots=True)
class Card:
    """One card of a carousel."""

    title: str
    description: str
    link: str
    picture: Picture


@dataclass(frozen=True, slots=True)
class Video:
    """A video of an account's library. `picture` is its thumbnail."""

    id: str
    title: str
    seconds: int
    picture: Picture


@dataclass(frozen=True, slots=True)
class Content:
    """What a creative shows. What its form does not have is "", (), or None.

    `form` is one of `brands.FORMS`. `titles`, `bodies` and `pictures` have the choices of a feed
    and, for every other form, the one that there is. `videos` are those of a
    feed; `product_set_id` is a template's.
    """

    form: str
    title: str
    body: str
    description: str
    link: str
    url_tags: str
    call_to_action: str
    page_id: str
    instagram_user_id: str
    pictures: Sequence[Picture]
    titles: Sequence[str]
    bodies: Sequence[str]
    cards: Sequence[Card] = ()
    video: Video | None = None
    videos: Sequence[Video] = ()
    product_set_id: str = ""


def content_of(creative: WorldNode) -> Content:
    """The content of a creative that the seed made, or of the one that a seeded ad shows."""
    concept = _concept(creative)
    angle = _angle(creative, concept)
    shown = creative_id(creative) if creative.level == "ad" else creative.id
    in_link, tags = TAGGED[dice(shown, "tags") % len(TAGGED)]
    query = in_link.format(slug=_slug(concept))
    choices = _choices(concept)
    is_catalog = concept.form == "template"
    return Content(
        form=_form(creative, concept),
        title=angle.title,
        body=angle.body,
        description=angle.description,
        link=_link(creative, concept.product, query),
        url_tags=tags,
        call_to_action=angle.call_to_action,
        page_id=f"10{digits(13, creative.account.id, 'page')}",
        instagram_user_id=f"1784{digits(13, creative.account.id, 'instagram')}",
        pictures=() if is_catalog else [_picture(creative, one) for one in choices],
        titles=_texts(creative, choices, "title"),
        bodies=_texts(creative, choices, "body"),
        cards=_cards(creative, concept, query) if concept.form == "carousel" else (),
        video=_video(creative, concept) if concept.form == "video" else None,
        videos=_videos(creative, concept),
        product_set_id=f"11{digits(13, creative.account.id, 'set')}" if is_catalog else "",
    )


def cover_of(creative: WorldNode) -> Picture:
    """What the thumbnail of a creative that the seed made shows; a template's is its product."""
    return _picture(creative, _concept(creative))


def _concept(creative: WorldNode) -> Concept:
    return creative.concept or _any_concept(creative.id, creative.about.brand)


def _form(creative: WorldNode, concept: Concept) -> str:
    """A photo has neither link nor button at Meta, and the company's ads are to sell something."""
    return "link" if creative.concept and concept.form == "photo" else concept.form


def _any_concept(creative_id: str, brand: Brand) -> Concept:
    """For a world that has no concepts: whatever the dice say."""
    product = brand.products[dice(creative_id, "product") % len(brand.products)]
    angle = list(ANGLES)[dice(creative_id, "angle") % len(ANGLES)]
    return Concept(product, angle, FORMS[dice(creative_id, "form") % len(FORMS)])


def _angle(creative: WorldNode, concept: Concept) -> Angle:
    """The texts; those of a world without concepts are as odd as its names."""
    known = ANGLES[concept.angle]
    if creative.concept is None:
        body = f"{creative.account.name}: {creative.name}"
        return Angle(creative.name, body, known.description, "LEARN_MORE")
    filled = {"product": concept.product.name, "brand": creative.about.brand.name}
    title, body = known.title.format(**filled), known.body.format(**filled)
    return Angle(title, body, known.description.format(**filled), known.call_to_action)


def _choices(concept: Concept) -> Sequence[Concept]:
    """The concept, and for a feed some more of the same product and form."""
    if concept.form != "feed":
        return (concept,)
    angles = list(ANGLES)
    first = angles.index(concept.angle)
    others = (angles[(first + n) % len(angles)] for n in range(1, CHOICES))
    versions = range(concept.version + 1, concept.version + CHOICES)
    return (
        concept,
        *(
            Concept(concept.product, angle, concept.form, version)
            for angle, version in zip(others, versions, strict=True)
        ),
    )


def _texts(creative: WorldNode, choices: Sequence[Concept], name: str) -> Sequence[str]:
    return list(dict.fromkeys(getattr(_angle(creative, one), name) for one in choices))


def _picture(creative: WorldNode, concept: Concept) -> Picture:
    product, brand = concept.product, creative.about.brand
    width, height = UPRIGHT if concept.form == "video" else SQUARE
    name = f"{_slug(concept)}-{concept.version}-{width}x{height}.png"
    owner = creative.account.id
    return Picture(owner, name, product.subject, brand.colour, concept.version, width, height)


def _cards(creative: WorldNode, concept: Concept, query: str) -> Sequence[Card]:
    """The concept's product first, then the brand's others."""
    products = creative.about.brand.products
    first = products.index(concept.product)
    shown = [products[(first + n) % len(products)] for n in range(min(CARDS, len(products)))]
    return [
        Card(
            one.name,
            ANGLES[concept.angle].description.format(
                product=one.name, brand=creative.about.brand.name
            ),
            _link(creative, one, query),
            _picture(creative, Concept(one, concept.angle, "carousel", concept.version)),
        )
        for one in shown
    ]


def _video(creative: WorldNode, concept: Concept) -> Video:
    facts = (creative.account.id, _slug(concept), concept.version)
    seconds = 12 + dice(*facts, "length") % 34
    title = f"{concept.product.name} {concept.angle} v{concept.version}"
    return Video(f"70{digits(13, *facts)}", title, seconds, _picture(creative, concept))


def _videos(creative: WorldNode, concept: Concept) -> Sequence[Video]:
    """A feed of the company shows the video of its concept too."""
    is_feed = creative.concept is not None and concept.form == "feed"
    return [_video(creative, replace(concept, form="video"))] if is_feed else ()


def _link(creative: WorldNode, product: Product, query: str) -> str:
    """Where a click leads, with `query` behind it."""
    about = creative.about
    link = (
        product.path if "://" in product.path else f"{about.brand.site}{about.shop}{product.path}"
    )
    return f"{link}{'&' if '?' in link else '?'}{query}" if query else link


def _slug(concept: Concept) -> str:
    return f"{concept.product.name}-{concept.angle}".lower().replace(" ", "-")
