import pytest

from pipedoctor.probes.memory.gpus import GIB, TABLE, UnknownGpu, memory


@pytest.mark.parametrize(
    ("name", "gib"),
    [
        ("A100 80GB", 79.1),
        ("a100-80gb", 79.1),
        ("NVIDIA A100-SXM4-40GB", 39.4),
        ("RTX 4090", 23.6),
        ("geforce rtx4090", 23.6),
        ("H200", 139.8),
        ("MI300X", 192),
    ],
)
def test_a_gpu_is_known_by_the_names_that_people_have_for_it(name, gib):
    """`gib` is what the cards were seen with: not less than is told, and hardly more."""
    assert 0.985 < memory(name)[1] / (gib * GIB) <= 1


@pytest.mark.parametrize("name", ["A100", "V100", "H100"])
def test_a_name_of_several_sizes_is_not_guessed(name):
    with pytest.raises(UnknownGpu, match=" or "):
        memory(name)


def test_a_name_that_is_mistyped_is_answered_with_the_nearest_and_with_all():
    with pytest.raises(UnknownGpu) as raised:
        memory("RTX 4091")
    text = str(raised.value)
    assert "did you mean 'RTX 4090'" in text
    assert all(name in text for name in TABLE)
    assert "--memory" in text


@pytest.mark.parametrize("name", ["", "  ", "GB", "🐟", "x" * 10_000, "A100 800GB"])
def test_what_is_no_gpu_is_refused(name):
    with pytest.raises(UnknownGpu):
        memory(name)


def test_each_name_of_the_table_is_found_and_says_where_its_size_stands():
    for name, (_, _, source) in TABLE.items():
        assert memory(name)[0] == name
        assert source.startswith("https://")
