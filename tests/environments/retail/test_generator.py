import json
import os
import subprocess
import sys
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from environments.retail.generator import generate
from environments.retail.generator.assortment import ASSORTMENT
from environments.retail.generator.orders import CANCEL_REASONS, STATUS_DECK
from environments.retail.generator.people import CITIES

ROOT = Path(__file__).parents[3]
SEEDS = (1, 2, 3)
SHIPPED = {"processed", "delivered", "exchange requested", "return requested"}
ORDER_FIELDS = [
    "order_id",
    "user_id",
    "address",
    "items",
    "status",
    "fulfillments",
    "payment_history",
    "cancel_reason",
    "exchange_items",
    "exchange_new_items",
    "exchange_payment_method_id",
    "exchange_price_difference",
    "return_items",
    "return_payment_method_id",
]
OPTIONAL_FIELDS = ORDER_FIELDS[7:]


@pytest.fixture(scope="module", params=SEEDS)
def shop(request):
    return generate(seed=request.param)


def cents(dollars):
    return round(dollars * 100)


def variants_of(shop):
    return [
        variant
        for product in shop["products"].values()
        for variant in product["variants"].values()
    ]


def methods_of(shop):
    return [
        m for user in shop["users"].values() for m in user["payment_methods"].values()
    ]


def orders_with(shop, *statuses):
    return [order for order in shop["orders"].values() if order["status"] in statuses]


def bytes_made_elsewhere(hash_seed):
    program = (
        "import json; from environments.retail.generator import generate;"
        "print(json.dumps(generate(seed=7, users=40)))"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        check=True,
    ).stdout


class TestGenerate:
    def test_makes_the_same_bytes_in_two_processes(self):
        first, second = bytes_made_elsewhere("1"), bytes_made_elsewhere("4242")

        assert first == second
        assert json.loads(first) == generate(seed=7, users=40)

    def test_makes_another_shop_from_another_seed(self):
        one, other = generate(seed=1, users=30), generate(seed=2, users=30)

        for collection in ("orders", "products", "users"):
            assert not one[collection].keys() & other[collection].keys()
        assert [v["price"] for v in variants_of(one)] != [
            v["price"] for v in variants_of(other)
        ]

    def test_tells_a_negative_seed_from_a_positive_one(self):
        assert generate(seed=-1, users=5) != generate(seed=1, users=5)

    def test_begins_a_larger_shop_with_the_smaller_one(self):
        small, large = generate(seed=1, users=5), generate(seed=1, users=50)

        assert small["products"] == large["products"]
        assert list(small["users"].values()) == list(large["users"].values())[:5]
        assert small["orders"].items() <= large["orders"].items()

    @pytest.mark.parametrize("users", [1, 5, 321])
    def test_makes_as_many_users_as_asked(self, users):
        assert len(generate(seed=1, users=users)["users"]) == users

    def test_refuses_a_shop_without_users(self):
        with pytest.raises(ValueError, match="at least one user"):
            generate(seed=1, users=0)

    def test_is_plain_ascii_json(self, shop):
        text = json.dumps(shop, ensure_ascii=False, allow_nan=False)

        assert text.isascii()
        assert json.loads(text) == shop
        assert list(shop) == ["orders", "products", "users"]

    def test_shares_no_lists_or_objects_between_two_places(self, shop):
        seen = set()

        def visit(part):
            if isinstance(part, dict | list):
                assert id(part) not in seen
                seen.add(id(part))
                for child in part.values() if isinstance(part, dict) else part:
                    visit(child)

        visit(shop)

    def test_files_everything_under_its_own_id(self, shop):
        for collection, field in (
            ("orders", "order_id"),
            ("products", "product_id"),
            ("users", "user_id"),
        ):
            assert all(key == thing[field] for key, thing in shop[collection].items())
        for product in shop["products"].values():
            assert all(key == v["item_id"] for key, v in product["variants"].items())
        for user in shop["users"].values():
            assert all(key == m["id"] for key, m in user["payment_methods"].items())


class TestProducts:
    def test_are_fifty_with_fields_as_declared(self, shop):
        assert len(shop["products"]) == 50
        assert [p["name"] for p in shop["products"].values()] == [
            t.name for t in ASSORTMENT
        ]
        for product in shop["products"].values():
            assert list(product) == ["name", "product_id", "variants"]
        for variant in variants_of(shop):
            assert list(variant) == ["item_id", "options", "available", "price"]
            assert type(variant["available"]) is bool
            assert type(variant["price"]) is float

    def test_have_ten_digit_ids_unlike_any_other(self, shop):
        ids = [
            *shop["products"],
            *(variant["item_id"] for variant in variants_of(shop)),
        ]

        assert len(set(ids)) == len(ids)
        assert all(len(text) == 10 and text.isdigit() for text in ids)

    def test_have_distinct_variants_in_every_product(self, shop):
        for product in shop["products"].values():
            options = [
                tuple(v["options"].items()) for v in product["variants"].values()
            ]

            assert 6 <= len(options) <= 20
            assert len(set(options)) == len(options)
            assert 2 <= len(options[0]) <= 4
            assert len({tuple(name for name, _ in chosen) for chosen in options}) == 1

    def test_have_no_price_ties(self, shop):
        for product in shop["products"].values():
            prices = sorted(cents(v["price"]) for v in product["variants"].values())

            assert all(higher - lower > 50 for lower, higher in pairwise(prices))

    def test_have_prices_in_whole_cents(self, shop):
        assert all(v["price"] == round(v["price"], 2) > 0 for v in variants_of(shop))

    def test_have_at_least_four_available_variants(self, shop):
        for product in shop["products"].values():
            assert sum(v["available"] for v in product["variants"].values()) >= 4

    def test_are_available_two_times_in_three(self, shop):
        available = [variant["available"] for variant in variants_of(shop)]

        assert 0.58 <= sum(available) / len(available) <= 0.73

    def test_cost_more_with_the_greater_option(self, shop):
        steps = []
        for kind, product in zip(ASSORTMENT, shop["products"].values(), strict=True):
            for one, other in combinations(product["variants"].values(), 2):
                changed = [
                    n for n in kind.options if one["options"][n] != other["options"][n]
                ]
                if len(changed) == 1:
                    costs = kind.options[changed[0]]
                    surcharge = costs[one["options"][changed[0]]]
                    surcharge -= costs[other["options"][changed[0]]]
                    if surcharge:
                        steps.append((one["price"] - other["price"]) * surcharge > 0)

        assert len(steps) > 100
        assert sum(steps) / len(steps) > 0.95


class TestUsers:
    def test_have_fields_as_declared(self, shop):
        address = ["address1", "address2", "city", "country", "state", "zip"]
        for user in shop["users"].values():
            assert list(user) == [
                "user_id",
                "name",
                "address",
                "email",
                "payment_methods",
                "orders",
            ]
            assert list(user["name"]) == ["first_name", "last_name"]
            assert list(user["address"]) == address
            assert all(type(text) is str for text in user["address"].values())

    def test_have_an_id_made_of_their_name(self, shop):
        for user_id, user in shop["users"].items():
            first, last, number = user_id.split("_")

            assert first == user["name"]["first_name"].lower()
            assert last == user["name"]["last_name"].lower()
            assert len(number) == 4
            assert number.isdigit()

    def test_can_be_found_by_email_and_by_name_and_zip(self, shop):
        users = shop["users"].values()

        assert len({u["email"].lower() for u in users}) == len(users)
        assert len({(*u["name"].values(), u["address"]["zip"]) for u in users}) == len(
            users
        )

    def test_live_where_their_zip_code_is(self, shop):
        cities = {(city.name, city.state): city for city in CITIES}
        places = [*shop["users"].values(), *shop["orders"].values()]

        for address in (place["address"] for place in places):
            city = cities[address["city"], address["state"]]
            assert len(address["zip"]) == 5
            assert city.first_zip <= int(address["zip"]) <= city.last_zip

    def test_have_valid_payment_methods(self, shop):
        fields = {
            "credit_card": ["source", "id", "brand", "last_four"],
            "gift_card": ["source", "id", "balance"],
            "paypal": ["source", "id"],
        }
        methods = methods_of(shop)

        assert len({m["id"] for m in methods}) == len(methods)
        for method in methods:
            assert list(method) == fields[method["source"]]
            source, number = method["id"].rsplit("_", 1)
            assert source == method["source"]
            assert len(number) == 7
            assert number.isdigit()

    def test_have_one_to_four_payment_methods(self, shop):
        counts = [len(user["payment_methods"]) for user in shop["users"].values()]

        assert set(counts) == {1, 2, 3, 4}
        assert sum(count >= 2 for count in counts) >= len(counts) / 3

    def test_have_a_gift_card_every_other_time(self, shop):
        holders = [
            any(m["source"] == "gift_card" for m in user["payment_methods"].values())
            for user in shop["users"].values()
        ]

        assert 0.38 <= sum(holders) / len(holders) <= 0.62

    def test_have_small_and_large_gift_cards(self, shop):
        balances = [
            m["balance"] for m in methods_of(shop) if m["source"] == "gift_card"
        ]

        assert all(type(balance) is float for balance in balances)
        assert all(balance == round(balance, 2) > 0 for balance in balances)
        assert min(balances) < 20
        assert max(balances) > 400

    def test_have_enough_orders_to_search_through(self, shop):
        counts = [len(user["orders"]) for user in shop["users"].values()]

        assert min(counts) >= 1
        assert max(counts) <= 9
        assert 3.4 <= sum(counts) / len(counts) <= 4.6
        assert sum(count >= 3 for count in counts) >= len(counts) / 2


class TestOrders:
    def test_have_fields_as_declared(self, shop):
        for order in shop["orders"].values():
            assert list(order) == ORDER_FIELDS
            for line in order["items"]:
                assert list(line) == [
                    "name",
                    "product_id",
                    "item_id",
                    "price",
                    "options",
                ]
            for parcel in order["fulfillments"]:
                assert list(parcel) == ["tracking_id", "item_ids"]
            for payment in order["payment_history"]:
                assert list(payment) == [
                    "transaction_type",
                    "amount",
                    "payment_method_id",
                ]
                assert type(payment["amount"]) is float

    def test_belong_to_exactly_one_user(self, shop):
        owned = [
            (oid, uid) for uid, user in shop["users"].items() for oid in user["orders"]
        ]

        assert len(owned) == len(shop["orders"])
        assert all(shop["orders"][oid]["user_id"] == uid for oid, uid in owned)

    def test_have_seven_digit_ids(self, shop):
        for order_id in shop["orders"]:
            assert order_id.startswith("#W")
            assert len(order_id) == 9
            assert order_id[2:].isdigit()

    def test_come_in_the_mix_of_the_deck(self, shop):
        mix = Counter(order["status"] for order in shop["orders"].values())
        hundreds = len(shop["orders"]) // 100

        assert mix.keys() == STATUS_DECK.keys()
        for status, cards in STATUS_DECK.items():
            assert cards * hundreds <= mix[status] <= cards * (hundreds + 1)

    def test_hold_variants_of_their_products(self, shop):
        for line in (
            line for order in shop["orders"].values() for line in order["items"]
        ):
            product = shop["products"][line["product_id"]]
            assert line["name"] == product["name"]
            assert line["options"] == product["variants"][line["item_id"]]["options"]

    def test_mostly_keep_the_current_price(self, shop):
        drifts = []
        for line in (
            line for order in shop["orders"].values() for line in order["items"]
        ):
            current = shop["products"][line["product_id"]]["variants"][line["item_id"]][
                "price"
            ]
            drifts.append(abs(cents(line["price"]) - cents(current)))
            assert line["price"] == round(line["price"], 2) > 0

        assert max(drifts) < 500
        assert 0.08 <= sum(drift > 0 for drift in drifts) / len(drifts) <= 0.22

    def test_have_one_to_five_lines(self, shop):
        counts = Counter(len(order["items"]) for order in shop["orders"].values())

        assert counts.keys() == {1, 2, 3, 4, 5}

    def test_rarely_repeat_a_product(self, shop):
        repeated_products = repeated_ids = 0
        for lines in (order["items"] for order in shop["orders"].values()):
            repeated_products += len({line["product_id"] for line in lines}) < len(
                lines
            )
            repeated_ids += len({line["item_id"] for line in lines}) < len(lines)

        assert 0 < repeated_ids < repeated_products
        assert repeated_products / len(shop["orders"]) < 0.1

    def test_go_elsewhere_one_time_in_five(self, shop):
        users = shop["users"]
        elsewhere = [
            order["address"]["city"] != users[order["user_id"]]["address"]["city"]
            for order in shop["orders"].values()
        ]

        assert 0.12 <= sum(elsewhere) / len(elsewhere) <= 0.28
        assert all(
            away or order["address"] == users[order["user_id"]]["address"]
            for away, order in zip(elsewhere, shop["orders"].values(), strict=True)
        )

    def test_are_paid_with_methods_of_their_user(self, shop):
        for order in shop["orders"].values():
            methods = shop["users"][order["user_id"]]["payment_methods"]
            used = {
                payment["payment_method_id"] for payment in order["payment_history"]
            }
            used |= {
                order["exchange_payment_method_id"],
                order["return_payment_method_id"],
            }
            assert used - {None} <= methods.keys()

    def test_are_paid_to_the_cent(self, shop):
        signs = {"payment": 1, "refund": -1}
        for order in shop["orders"].values():
            paid = sum(
                signs[p["transaction_type"]] * cents(p["amount"])
                for p in order["payment_history"]
            )
            total = sum(cents(line["price"]) for line in order["items"])
            assert paid == (0 if order["status"] == "cancelled" else total)

    def test_have_one_payment_until_something_happens(self, shop):
        for order in shop["orders"].values():
            changed = order["status"] in ("cancelled", "pending (item modified)")
            assert len(order["payment_history"]) == (2 if changed else 1)
            first = order["payment_history"][0]
            assert first["transaction_type"] == "payment"
            if not changed:
                assert first["amount"] == round(
                    sum(i["price"] for i in order["items"]), 2
                )

    def test_are_in_parcels_once_shipped(self, shop):
        tracking = []
        for order in shop["orders"].values():
            sent = [
                item_id
                for parcel in order["fulfillments"]
                for item_id in parcel["item_ids"]
            ]
            tracking += [
                text
                for parcel in order["fulfillments"]
                for text in parcel["tracking_id"]
            ]
            expected = [line["item_id"] for line in order["items"]]
            assert sent == (expected if order["status"] in SHIPPED else [])

        assert len(set(tracking)) == len(tracking)
        assert all(len(text) == 12 and text.isdigit() for text in tracking)

    def test_set_only_the_optional_fields_of_their_status(self, shop):
        prefixes = {
            "cancelled": "cancel_",
            "exchange requested": "exchange_",
            "return requested": "return_",
        }
        for order in shop["orders"].values():
            prefix = prefixes.get(order["status"], "none")
            for field in OPTIONAL_FIELDS:
                assert (order[field] is not None) == field.startswith(prefix)

    def test_are_cancelled_for_an_accepted_reason(self, shop):
        cancelled = orders_with(shop, "cancelled")

        assert {order["cancel_reason"] for order in cancelled} == set(CANCEL_REASONS)
        for order in cancelled:
            payment, refund = order["payment_history"]
            assert refund == {**payment, "transaction_type": "refund"}

    def test_are_exchanged_for_available_variants_of_the_same_products(self, shop):
        stock = {v["item_id"]: v for v in variants_of(shop)}
        product_of = {
            item_id: pid
            for pid, p in shop["products"].items()
            for item_id in p["variants"]
        }
        for order in orders_with(shop, "exchange requested"):
            old, new = order["exchange_items"], order["exchange_new_items"]

            assert old == sorted(old)
            assert Counter(old) <= Counter(line["item_id"] for line in order["items"])
            assert [*map(product_of.get, old)] == [*map(product_of.get, new)]
            assert all(a != b for a, b in zip(old, new, strict=True))
            assert all(stock[item_id]["available"] for item_id in new)
            assert type(order["exchange_price_difference"]) is float

    def test_are_refunded_to_the_method_that_paid_or_a_gift_card(self, shop):
        for order in orders_with(shop, "return requested"):
            original = order["payment_history"][0]["payment_method_id"]
            returned = order["return_items"]

            assert order["return_payment_method_id"] == original
            assert returned == sorted(returned)
            assert Counter(returned) <= Counter(
                line["item_id"] for line in order["items"]
            )

    def test_hold_an_available_variant_once_modified(self, shop):
        stock = {v["item_id"]: v for v in variants_of(shop)}
        for order in orders_with(shop, "pending (item modified)"):
            assert any(
                stock[line["item_id"]]["available"]
                and stock[line["item_id"]]["price"] == line["price"]
                for line in order["items"]
            )
