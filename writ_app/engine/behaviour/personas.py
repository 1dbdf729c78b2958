"""The built-in personas: who speaks. They differ in manner and mood only; nothing is said of where somebody comes from, or how old they are."""

from writ_app.engine.types import Persona


def _persona(
    slug: str, title: str, card: str, **dimensions: str | tuple[str, ...]
) -> Persona:
    named = {
        name: (values,) if isinstance(values, str) else values
        for name, values in dimensions.items()
    }
    return Persona(slug=slug, title=title, card=card, dimensions=named)


PERSONAS: dict[str, Persona] = {
    persona.slug: persona
    for persona in (
        _persona(
            "plain",
            "Plain and friendly",
            "You write the way most people write to a shop: whole sentences, friendly, no fuss.",
            verbosity="standard",
            tone="neutral",
            impatience="none",
            language="native",
            channel="chat",
            literacy="accepts_ids",
        ),
        _persona(
            "courteous",
            "Courteous",
            "You thank people for their time and never forget a please. You would rather ask twice than be a nuisance.",
            verbosity="standard",
            tone="polite",
            impatience="none",
            language="native",
            channel="chat",
        ),
        _persona(
            "texter",
            "Types on the phone",
            "You type with one thumb while doing something else. Capitals and full stops are for other people.",
            verbosity=("standard", "minimal"),
            tone=("neutral", "curt"),
            language="informal",
            channel="chat",
        ),
        _persona(
            "in-a-hurry",
            "Has five minutes",
            "Your next appointment starts in a few minutes. You answer quickly, and expect the same.",
            verbosity=("standard", "minimal"),
            tone=("neutral", "curt"),
            impatience="time_pressure",
            language="native",
            channel=("chat", "voice"),
        ),
        _persona(
            "letter-writer",
            "Writes letters",
            "You write to a company as you would write a letter: with a salutation, one thought per paragraph, and kind regards.",
            verbosity=("standard", "rambling"),
            tone=("neutral", "polite", "anxious"),
            impatience="none",
            language="native",
            channel="email",
        ),
        _persona(
            "storyteller",
            "Tells the whole story",
            "Every request has its story, and you tell it. You are good company and hard to stop.",
            verbosity="rambling",
            tone=("neutral", "polite", "anxious"),
            language="native",
            channel=("chat", "email"),
        ),
        _persona(
            "caller",
            "Is on the phone",
            "You are on the phone, and what you say is written down by a machine.",
            verbosity="standard",
            tone=("neutral", "polite"),
            language="native",
            channel="voice",
        ),
        _persona(
            "worrier",
            "Worries",
            "You are afraid of doing something that cannot be undone, and glad about every reassurance.",
            verbosity="standard",
            tone="anxious",
            impatience="none",
            language=("native", "learner"),
            channel=("chat", "email"),
        ),
        _persona(
            "let-down",
            "Was let down before",
            "The last time you wrote to them nothing happened. You are annoyed, though never insulting, and calm down when things move.",
            verbosity="standard",
            tone="angry",
            impatience=("repeats_demand", "threatens_to_leave"),
            language="native",
            channel=("chat", "email"),
        ),
        _persona(
            "second-language",
            "Writes in a second language",
            "English is your second language. Your grammar slips now and then; what you mean is always clear, and you copy names and numbers with care.",
            verbosity=("standard", "minimal"),
            tone=("neutral", "polite"),
            language="learner",
            channel="chat",
        ),
        _persona(
            "comparer",
            "Compares before buying",
            "You never take the first thing you are offered without hearing what the next best would have been.",
            verbosity="standard",
            tone=("neutral", "polite"),
            literacy="wants_comparison",
        ),
        _persona(
            "bottom-line",
            "Wants the bottom line",
            "Details bore you. You want to hear that it is done, and what it costs.",
            verbosity=("standard", "minimal"),
            tone=("neutral", "curt"),
            literacy="answer_only",
            channel="chat",
        ),
        _persona(
            "bilingual",
            "Speaks two languages at home",
            "You speak English and Spanish all day, and a word of the one finds its way into the other. Names and numbers stay as they are.",
            verbosity="standard",
            tone=("neutral", "polite"),
            impatience="none",
            language="code_mix",
            channel="chat",
        ),
        _persona(
            "regular",
            "A customer like any other",
            "There is nothing special about how you write; the notes below say how you are today.",
        ),
    )
}
