"""What an endpoint's fields may hold. The keys are made up."""

import pytest
from django.core.exceptions import ValidationError

from writ_app.models.endpoint_rules import (
    check_base_url,
    check_key_variable,
    check_model,
    check_name,
    check_parameters,
)

KEYS = [
    "sk-proj-4f9a8b7c6d5e4f3a2b1c",
    "sk-ant-api03-AAAAbbbbCCCCdddd",
    "gsk_1234567890abcdefghij",
    "hf_abcdefghijklmnopqrst",
    "AIzaSyA1234567890abcdefghijk",
    "0123456789abcdef0123456789abcdef",
    "Zr4b8q1m5x7c9v2n",
    "Bearer 12345678",
]


class TestKeys:
    @pytest.mark.parametrize("key", KEYS)
    def test_are_refused_wherever_they_are_put(self, key: str) -> None:
        for check in (check_key_variable, check_name, check_model):
            with pytest.raises(ValidationError, match="looks like a key"):
                check(key)
        with pytest.raises(ValidationError, match="looks like a key"):
            check_parameters({"extra_body": {"token": key}})

    @pytest.mark.parametrize("key", KEYS)
    def test_are_not_repeated_by_the_message(self, key: str) -> None:
        with pytest.raises(ValidationError) as refused:
            check_key_variable(key)

        assert key not in str(refused.value)


class TestKeyVariables:
    @pytest.mark.parametrize("name", ["OPENAI_API_KEY", "VLLM_2_API_KEY"])
    def test_are_named_for_keys_of_providers(self, name: str) -> None:
        check_key_variable(name)

    @pytest.mark.parametrize("name", ["WRIT_SECRET_API_KEY", "DATABASE_API_KEY"])
    def test_of_the_app_itself_are_never_sent(self, name: str) -> None:
        with pytest.raises(ValidationError, match="belongs to the app"):
            check_key_variable(name)

    @pytest.mark.parametrize(
        "name",
        ["WRIT_SECRET_KEY", "DATABASE_URL", "PATH", "openai_api_key", "A B_API_KEY"],
    )
    def test_of_another_shape_are_refused_with_an_example(self, name: str) -> None:
        with pytest.raises(ValidationError, match="for example OPENAI_API_KEY"):
            check_key_variable(name)


class TestModels:
    @pytest.mark.parametrize(
        "name",
        [
            "openai/gpt-4.1-mini",
            "anthropic/claude-sonnet-4-5-20250929",
            "openai/qwen3:8b",
            "fireworks_ai/accounts/fireworks/models/llama-v3p1-405b-instruct",
            "openai/skywork-o1-open-llama",
            "bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0",
        ],
    )
    def test_are_named_as_litellm_names_them(self, name: str) -> None:
        check_model(name)

    @pytest.mark.parametrize("name", ["gpt-4.1", "openai/", "openai/a\nb"])
    def test_without_a_provider_are_refused_with_examples(self, name: str) -> None:
        with pytest.raises(ValidationError, match="for example openai/"):
            check_model(name)


class TestBaseUrls:
    @pytest.mark.parametrize(
        "url",
        [
            "",
            "https://api.example.com/v1",
            "http://127.0.0.1:8000/v1",
            "http://localhost:11434/v1",
            "http://vllm:8000/v1",
            "https://4.chan.example/v1",
            "http://0xbeef.example/v1",
            "http://10.0.3.7/v1",
            "http://[::1]:8000/v1",
        ],
    )
    def test_of_providers_and_own_servers_are_allowed(self, url: str) -> None:
        check_base_url(url)

    @pytest.mark.parametrize(
        ("url", "says"),
        [
            ("file:///etc/passwd", "begins with http"),
            ("gopher://host/1", "begins with http"),
            ("api.example.com/v1", "begins with http"),
            ("http:///v1", "names a host"),
            ("http://host:port/v1", "check its port"),
            ("http://user:secret@host/v1", "no user, password"),
            ("http://host/v1?key=secret", "no user, password"),
            ("http://host/v1#x", "no user, password"),
            ("http://host/v1 x", "a character"),
            ("http://ho\\st/v1", "a character"),
            ("http://169.254.169.254/latest", "Link-local"),
            ("http://[fe80::1]/v1", "Link-local"),
            ("http://[::ffff:169.254.169.254]/v1", "Link-local"),
            ("http://2852039166/v1", "Link-local"),
            ("http://0xa9fea9fe/v1", "Link-local"),
            ("http://0xa9.254.169.254/v1", "Link-local"),
            ("http://0251.0376.0251.0376/v1", "Link-local"),
            ("http://169.254.43518/v1", "Link-local"),
            ("http://169.254.169.254./v1", "Link-local"),
            ("http://[fe80::1%25eth0]/v1", "Link-local"),
            ("http://0.0.0.0/v1", "Link-local"),
            ("http://metadata.google.internal/v1", "Link-local"),
        ],
    )
    def test_that_are_dangerous_are_refused_with_the_reason(
        self, url: str, says: str
    ) -> None:
        with pytest.raises(ValidationError, match=says):
            check_base_url(url)

    def test_may_be_bound_to_some_hosts_by_the_operator(self, settings) -> None:
        settings.MODEL_HOSTS = ["llm.example.com"]

        check_base_url("https://llm.example.com/v1")
        with pytest.raises(ValidationError, match=r"allows llm\.example\.com only"):
            check_base_url("https://elsewhere.example.com/v1")


class TestParameters:
    def test_that_are_known_are_kept(self) -> None:
        check_parameters(
            {
                "temperature": 0.7,
                "top_k": 40,
                "extra_body": {"chat_template_kwargs": {"enable_thinking": False}},
            }
        )

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ([], "a JSON object"),
            ({"api_key": "x"}, "api_key cannot be set"),
            ({"base_url": "http://x"}, "base_url cannot be set"),
            ({"mock_response": "x"}, "mock_response cannot be set"),
            ({"extra_body": []}, "extra_body is a JSON object"),
            ({"extra_body": {"messages": []}}, "itself sets messages"),
            ({"temperature": 3}, "between 0 and 2"),
            ({"temperature": "hot"}, "temperature is a number"),
            ({"timeout": True}, "timeout is a number"),
            ({"timeout": 0}, "between 1 and 3,600"),
            ({"stop": ["word "] * 2000}, "at most 4,000 characters"),
        ],
    )
    def test_that_cannot_be_are_refused_with_the_reason(
        self, given: object, says: str
    ) -> None:
        with pytest.raises(ValidationError, match=says):
            check_parameters(given)
