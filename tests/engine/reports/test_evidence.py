from tests.engine.reports.made import call, note_of, observed, said
from tests.engine.talks import designer, task_of
from writ_app.engine.errors import InvalidTask
from writ_app.engine.export.records import Json
from writ_app.engine.reports import note_of_task
from writ_app.engine.reports.evidence import Evidence, follow
from writ_app.engine.types import Task


def reads_of(archetype: str) -> list[Json]:
    return [
        call(read.call.name, f"r{n}", **read.call.arguments)
        for n, read in enumerate(task_of(archetype).certificate)
    ]


def composed(seed: int) -> Task | None:
    try:
        return designer().compose(2, seed)
    except InvalidTask:
        return None


def write_of(archetype: str) -> Json:
    write = task_of(archetype).gold[0].call
    return call(write.name, "w", **write.arguments)


class TestFollowing:
    def test_of_a_good_conversation_covers_the_certificate(self) -> None:
        one = observed("R1")
        assert one.note is not None

        found = follow(one.record, one.note)

        assert found.covered == found.needed == len(task_of("R1").certificate)
        assert not found.premature
        assert found.repeated == 0

    def test_of_a_write_before_its_reads_is_premature_and_covers_nothing_after_it(
        self,
    ) -> None:
        note, reads = note_of("R1"), reads_of("R1")
        late = said(*reads[:1], write_of("R1"), *reads[1:], note=note)

        found = follow(late.record, note)

        assert found.premature
        assert found.covered == 1

    def test_tells_two_writes_of_one_tool_apart(self) -> None:
        task = next(
            task
            for seed in range(200)
            if (task := composed(seed))
            and len({write.call.name for write in task.gold}) == 1
            and set(task.gold[1].needs) - set(task.gold[0].needs)
        )
        note = note_of_task(task.content_hash, task.model_dump(mode="json"))
        made: list[Json] = []
        for write in task.gold:
            made += [
                call(read.name, f"r{n}", **read.arguments)
                for n in write.needs
                for read in [task.certificate[n].call]
            ]
            made.append(call(write.call.name, "w", **write.call.arguments))

        found = follow(said(*made, note=note).record, note)
        early = follow(said(*made[:-2], made[-1], made[-2], note=note).record, note)

        assert found.covered == found.needed
        assert not found.premature
        assert early.premature

    def test_of_a_write_that_failed_is_not_premature(self) -> None:
        note = note_of("R1")
        refused: Json = {"role": "tool", "tool_call_id": "w", "content": "", "error": True}  # fmt: skip
        found = follow(said(write_of("R1"), refused, *reads_of("R1")).record, note)

        assert not found.premature
        assert found.covered == found.needed

    def test_counts_a_read_again_once_something_was_written(self) -> None:
        """What was written may have changed what it shows, so that it is no repetition."""
        note, reads = note_of("R1"), reads_of("R1")
        again = said(*reads, reads[0], write_of("R1"), reads[0])

        found = follow(again.record, note)

        assert found.repeated == 1
        assert found.beside == 0

    def test_counts_reads_that_nothing_rests_on(self) -> None:
        note = note_of("R1")
        found = follow(said(call("list_all_product_types")).record, note)

        assert (found.reads, found.beside, found.covered) == (1, 1, 0)

    def test_takes_thinking_and_reckoning_for_no_reads(self) -> None:
        found = follow(said(call("calculate", expression="1 + 1")).record, note_of("R1"))  # fmt: skip

        assert found.reads == 0


class TestEvidence:
    def test_counts_early_writes_among_the_rejected_alone(self) -> None:
        note, reads = note_of("R1"), reads_of("R1")
        evidence = Evidence()
        evidence.add(observed("R1"), accepted=True)
        evidence.add(said(write_of("R1"), *reads, note=note), accepted=False)
        evidence.add(said(*reads, write_of("R1"), note=note), accepted=False)

        found = evidence.result()

        assert (found["judged"], found["rejected"]) == (1, 2)
        assert found["premature"] == 0.5
        assert found["fully_covered"] == 1.0

    def test_holds_nobody_to_a_certificate_that_there_is_not(self) -> None:
        evidence = Evidence()
        evidence.add(said(call("get_user_details", user_id="x")), accepted=True)

        assert evidence.result()["judged"] == 0
        assert evidence.result()["coverage"] is None

    def test_has_the_measures_of_the_choice(self) -> None:
        evidence = Evidence()
        evidence.add(observed("R1"), accepted=True)
        companions = task_of("R1").companions

        found = evidence.result()

        assert found["candidates"]["median"] == companions.candidates
        assert found["decoys"]["median"] == companions.decoys
        assert companions.margin is not None
        assert found["margins"]["least"] == round(companions.margin, 2)
