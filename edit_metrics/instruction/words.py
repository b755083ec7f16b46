"""The words that the grammar knows. Each table is one string of alternatives, to be read and extended by eye."""

from __future__ import annotations

import re
from typing import Final


def _alternatives(text: str) -> str:
    """``a b_c`` → ``(?:b c|a)``: longest first, an underscore is a space."""
    words = sorted({word.replace("_", " ") for word in text.split()}, key=len, reverse=True)
    return "(?:" + "|".join(words) + ")"


ADD: Final = _alternatives(
    "add insert put place include introduce attach append draw hang plant install create generate superimpose "
    "overlay throw toss wrap pop slap "
    "bring_in throw_in add_in set stick mount build position drop_in sprinkle scatter draw_in paint_in photoshop_in"
)
REMOVE: Final = _alternatives(
    "remove delete erase take_away take_out take_off get_rid_of eliminate wipe_out wipe_off wipe_away clear "
    "clear_away "
    "clear_out cut_out crop_out edit_out photoshop_out hide omit exclude discard drop strip strip_away clean_up "
    "clean_off lose ditch "
    "dispose_of do_away_with scrub_out scrap rid strip_off"
)
REPLACE: Final = _alternatives("replace swap substitute exchange switch trade swap_out switch_out switch_up")
CHANGE: Final = _alternatives(
    "change turn convert transform alter modify morph transmute adjust shift update switch edit_the recast vary "
    "make_over "
    "reshape rework redo redesign evolve mutate set"
)
MAKE: Final = _alternatives("make render have let get show turn_out")
RECOLOUR: Final = _alternatives("recolor recolour color colour paint dye repaint tint stain spray-paint spray_paint")
MOVE: Final = _alternatives("move shift relocate slide push pull drag nudge scoot reposition")
RESIZE: Final = _alternatives("enlarge shrink scale_up scale_down resize upscale_the widen lengthen shorten stretch")

POLITE: Final = re.compile(
    r"^(?:(?:please|kindly|hey|hi|hello|ok|okay|now|then|and|also|first|finally|next|just|simply|maybe|perhaps|"
    r"so)[ ,]+"
    r"|(?:can|could|would|will) (?:you|we|i) (?:please |kindly |just |maybe )*"
    r"|(?:i|we)(?:'d| would)? (?:really )?(?:want|like|love|need|wish|prefer)(?: for)?(?: you)?(?: to)? (?:see )?"
    r"|(?:you|we|they) (?:should|must|need to|have to) |help me(?: to)? |try to |go ahead and |let's |"
    r"lets |let us "
    r"|make it so(?: that)? |edit the (?:image|photo|picture) (?:to|so that|by) |use (?:the )?photoshop to |"
    r"(?:refer to|follow|use|"
    r"using|based on|according to) (?:the |this )?[^.,]*? to (?=(?:add|remove|replace|change|make|turn)\b)|in "
    r"the (?:image|photo|picture),? )+"
)
TRAILING_POLITE: Final = re.compile(r"[ ,]*(?:please|thanks|thank you|if possible|for me|instead)[ .!]*$")

PICTURE: Final = (
    r"(?:(?:the|this|that|whole|entire|full|overall|my|of|all|complete|original) )*"
    r"(?:it|image|photo|photograph|picture|pic|scene|everything|frame|shot|screenshot|canvas|whole thing|thing|"
    r"img|view|portrait|selfie|snapshot)"
    r"(?: overall| as a whole| itself)?"
)
BACKGROUND: Final = (
    r"(?:(?:(?:the|whole|entire|its|their|his|her|image|photo|picture|\w+'s) )*(?:background|"
    r"backdrop|back ground|bg|backround)s?|what(?:'s| is) behind .*)"
)
SETTING: Final = (
    r"(?:the )?(?:(?:whole|entire) )?(?:setting|scenery|location|place|environment|surroundings?|landscape behind .*)"
)
PLACES: Final = _alternatives(
    "beach moon mars forest jungle desert city street park mountains mountain office kitchen space outer_space "
    "ocean paris "
    "london new_york tokyo castle studio garden field farm stadium library museum church cave island lake river snow "
    "classroom hospital airport gym bar restaurant cafe zoo market subway meadow savanna underwater times_square"
)

STYLE: Final = _alternatives(
    "painting oil_painting watercolor watercolour watercolor_painting sketch pencil_sketch pencil_drawing "
    "cartoon anime "
    "manga drawing comic comic_book pixel_art pixelart pop_art popart line_art line_drawing 3d_render render "
    "low_poly "
    "mosaic stained_glass claymation clay impressionist impressionism cubist cubism surrealist surrealism "
    "ukiyo-e van_gogh "
    "vangogh picasso monet dali rembrandt ghibli pixar disney_movie cyberpunk steampunk vaporwave synthwave art_deco "
    "art_nouveau charcoal_drawing crayon graffiti illustration engraving woodcut etching origami lego_style "
    "abstract_art "
    "digital_art concept_art caricature polaroid vintage_photo film_noir noir collage tapestry fresco doodle poster "
    "cross-stitch embroidery voxel voxel_art minecraft gta simpsons artwork work_of_art hyperrealistic "
    "photorealistic "
    "daguerreotype pointillism pointillist expressionist expressionism baroque renaissance gothic rococo minimalist "
    "hologram neon_art linocut pastel_drawing gouache acrylic bauhaus psychedelic trippy vintage retro fantasy_art"
)
STYLE_PHRASE: Final = re.compile(
    rf"\b(?:(?:drawn|painted|sketched) (?:by|with|in)|in (?:the |a |an )?style of|style|stylis?z?ed?|art ?style|"
    rf"aesthetic|{STYLE})\b"
)

ATMOSPHERE: Final = re.compile(
    r"\b(?:night(?:time)?|day(?:time)?|daylight|sunset|sunrise|dawn|dusk|evening|morning|noon|midday|midnight|"
    r"golden hour|"
    r"twilight|winter|summer|autumn|fall|spring|rainy|raining|rain|snowy|snowing|foggy|fog|misty|cloudy|sunny|stormy|"
    r"overcast|windy|hazy|moonlit|christmas time|gloomy|moody|snowstorm|thunderstorm|season|weather)\b"
)
ATMOSPHERE_OBJECT: Final = re.compile(
    r"^(?:the )?(?:season|weather|time(?: of (?:the )?day)?|lighting|light|atmosphere|ambien(?:ce|t)|mood|day|"
    r"night|climate)"
    r"(?: (?:of|in) .*)?$"
)

PERSON: Final = re.compile(
    r"\b(?:man|woman|boy|girl|person|guy|lady|kid|child|baby|toddler|face|bride|groom|player|people|men|women|"
    r"him|her|he|she|"
    r"himself|herself|model|actor|actress|skater|surfer|rider|chef|teenager|adult|gentleman|human|old man|someone|"
    r"pedestrian|pedestrians|couple|crowd|child's|kids|children|boys|girls|guys|ladies|skier|snowboarder|"
    r"player's|persons)\b"
)
OTHER_PERSON: Final = re.compile(
    r"\b(?:older|younger|old|young|elderly|teenager|child|male|female|man|woman|boy|girl|different person|"
    r"another person|"
    r"someone else|asian|african|caucasian|black man|white man|zombie|vampire|robot|alien|superhero|clown|mermaid)\b"
)
TEXT_NOUN: Final = re.compile(
    r"\b(?:text|texts|word|words|letters?|lettering|caption|title|headline|slogan|message|writing|inscription|"
    r"logo text|"
    r"wording|font|subtitle|phrase|sentence|signage text|digits?|number \d+|typography)\b"
)
TEXT_VERB: Final = re.compile(
    r"\b(?:says?|reads?|saying|reading|write|writes|written|print|printed|spell|spells|spelling|type|engrave|engraved|"
    r"label(?:led|ed)?|inscribe|inscribed|stating|states)\b"
)
MATERIAL: Final = re.compile(
    r"^(?:(?:out )?of |made (?:out )?of |look like |from )?(?:\w+ )?(?:wood(?:en)?|metal(?:lic)?|glass|stone|"
    r"marble|plastic|leather|ice|"
    r"chrome|concrete|brick|paper|fabric|wool(?:en)?|knitted|rusty|steel|bronze|clay|crystal|diamond|fur(?:ry)?|velvet|"
    r"denim|ceramic|bamboo|rubber|cotton|silk|granite|transparent|shiny|matte|glossy|wet|dirty|fluffy|striped|"
    r"stripes|polka dot(?:s|ted)?|"
    r"plaid|checkered|floral|spotted)$"
)
COMPARATIVE: Final = (
    r"(?:bigger|smaller|larger|longer|shorter|taller|wider|narrower|thinner|thicker|fatter|slimmer|older|"
    r"younger|faster|slower|"
    r"happier|sadder|angrier|prettier|fancier|closer|further|farther|higher|lower|deeper|stronger|rounder|"
    r"cleaner|dirtier|"
    r"darker|lighter|curlier|busier|messier|fluffier|sunnier|rainier|cloudier|brighter|warmer|cooler|sharper|softer)"
)
HAIR_COLOUR: Final = re.compile(r"\b(?:blonde?|brunette|ginger|redhead)\b")
STATE: Final = re.compile(
    r"\b(?:happy|sad|angry|smil(?:e|ing)|laugh(?:ing)?|frown(?:ing)?|cry(?:ing)?|surprised|scared|serious|"
    r"asleep|sleep(?:ing)?|"
    r"awake|open(?:ed)?|closed?|shut|empty|full|broken|clean|dirty|wet|dry|lit|on fire|burning|melted|"
    r"tall(?:er)?|short(?:er)?|"
    r"thinner|fatter|muscular|fat|thin|longer|curly|straight|bald|sitting|standing|running|jumping|flying|walking|"
    r"looking|facing|dancing|eating|drinking|playing|ripe|rotten|cooked|older|younger|old|young|new|modern|"
    r"fancier|crowded|"
    r"wavy|messy|neat|pretty|beautiful|scary|cute|closer|further|farther|steeper|deeper|shallower|thicker|round|"
    r"square)\b"
)
"""Adjectives and actions that change a thing without making it another thing."""

OTHER_QUALITY: Final = re.compile(
    r"^(?:the )?(?:material|texture|shape|size|pattern|expression|pose|action|number|age)\b"
)
"""Qualities of a thing that a colour's or a thing's name does not settle."""
TAKEN_TO: Final = re.compile(
    rf"^(?:move|transport|relocate|take|bring|teleport) .+? (?P<place>(?:to|into|onto) (?:a |an |"
    rf"the )?(?:\w+ )?{PLACES})$"
)
"""The subject is taken to another place: the background changes, not the subject's position."""
