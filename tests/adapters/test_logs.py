"""What lines say of whom, and what they keep to themselves."""

import io
import json
import logging
import logging.config
import re

import pytest

from writ_app.adapters import logs


def lines_of(form: str) -> tuple[logging.Logger, io.StringIO]:
    """A logger that is set up like the product's, and what it writes."""
    stream = io.StringIO()
    settings = logs.logging_settings(form, "INFO")
    handler = logging.config.DictConfigurator(settings)
    filters = [handler.configure_filter(each) for each in settings["filters"].values()]
    console = logging.StreamHandler(stream)
    console.setFormatter(handler.configure_formatter(settings["formatters"][form]))
    for each in filters:
        console.addFilter(each)
    logger = logging.Logger("writ_app.somewhere", logging.INFO)
    logger.addHandler(console)
    return logger, stream


@pytest.fixture(params=["text", "json"])
def either(
    request: pytest.FixtureRequest,
) -> tuple[logging.Logger, io.StringIO]:
    return lines_of(request.param)


SECRETS = [
    ("connecting to postgresql://writ:hunter2@db/writ", "hunter2"),
    ("redis://:hunter2@broker:6379/0 is gone", "hunter2"),
    ("Authorization: Bearer abc.def-hunter2", "hunter2"),
    ('{"api_key": "hunter2-hunter2"}', "hunter2"),
    ("OPENAI_API_KEY=hunter2", "hunter2"),
    ("GET /x?token=hunter2&page=2", "hunter2"),
    ("csrftoken=hunter2; sessionid=hunter2", "hunter2"),
    ("the key sk-hunter2hunter2 was refused", "hunter2"),
    ("password: 'hunter2 and more'", "hunter2"),
]


class TestSecrets:
    @pytest.mark.parametrize(("said", "secret"), SECRETS)
    def test_are_hidden_in_messages(
        self, said: str, secret: str, either: tuple[logging.Logger, io.StringIO]
    ) -> None:
        logger, stream = either

        logger.info("It was said: %s", said)

        assert secret not in stream.getvalue()
        assert logs.HIDDEN in stream.getvalue()

    def test_are_hidden_in_tracebacks(
        self, either: tuple[logging.Logger, io.StringIO]
    ) -> None:
        logger, stream = either

        try:
            raise ValueError("api_key=hunter2")
        except ValueError:
            logger.exception("It failed")

        assert "ValueError" in stream.getvalue()
        assert "hunter2" not in stream.getvalue()

    def test_what_a_record_carries_beside_its_message_is_left_out(self) -> None:
        logger, stream = lines_of("json")

        logger.info("Hello", extra={"request": "the whole", "messages": ["a talk"]})

        assert set(json.loads(stream.getvalue())) == {
            "time",
            "level",
            "logger",
            "message",
        }

    def test_long_texts_are_cut(
        self, either: tuple[logging.Logger, io.StringIO]
    ) -> None:
        logger, stream = either

        logger.info("x" * 50_000)

        assert len(stream.getvalue()) < logs.LONGEST + 300
        assert "42000 characters cut" in stream.getvalue()

    def test_plain_words_stay(self) -> None:
        said = "Batch 7: 3 tokens were used, the password page was shown to 2 people"

        assert logs.without_secrets(said) == said


class TestAbout:
    def test_lines_say_what_they_belong_to(self) -> None:
        logger, stream = lines_of("json")

        with logs.about(request_id="a" * 32):
            logs.note(user=3, team=4)
            logger.info("inside")
        logger.info("outside")

        inside, outside = map(json.loads, stream.getvalue().splitlines())
        assert (inside["request_id"], inside["user"], inside["team"]) == (
            "a" * 32,
            3,
            4,
        )
        assert inside["time"].endswith("+0000")
        assert "request_id" not in outside
        assert "user" not in outside

    def test_lines_name_the_token_that_asked_by_its_key(
        self, either: tuple[logging.Logger, io.StringIO]
    ) -> None:
        logger, stream = either

        with logs.about(token=17, token_id=17):
            logger.info("Hello")

        assert re.search(r'token_id(=|": )17', stream.getvalue())

    def test_a_line_break_in_a_message_makes_no_second_json_line(self) -> None:
        logger, stream = lines_of("json")

        logger.info('one\n{"level": "CRITICAL"}')

        assert len(stream.getvalue().splitlines()) == 1


class TestRequestIds:
    @pytest.mark.parametrize(
        "text",
        [None, "", "short", "x" * 65, "with space1", "line\nbreak1", "<b>12345678"],
    )
    def test_of_others_are_taken_only_if_well_formed(self, text: str | None) -> None:
        made = logs.request_id_from(text)

        assert made != text
        assert logs.WELL_FORMED.fullmatch(made)

    def test_a_well_formed_one_is_kept(self) -> None:
        assert logs.request_id_from("0aB_-9999") == "0aB_-9999"
