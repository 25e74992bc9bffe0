import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from earthloom.core.seeds import make_rng, stable_draws, stable_hash, stable_uniform


def test_hash_is_the_head_of_sha256() -> None:
    digest = hashlib.sha256(b"7\x1fsplit\x1fscene").digest()
    assert stable_hash(7, "split", "scene") == int.from_bytes(digest[:8], "big")


@given(st.integers(), st.text())
def test_uniform_is_in_the_unit_interval_and_repeats(seed: int, name: str) -> None:
    draw = stable_uniform(seed, name)
    assert 0 <= draw < 1
    assert draw == stable_uniform(seed, name)


def test_uniform_is_uniform() -> None:
    draws = [stable_uniform(3, f"scene-{i}") for i in range(5000)]
    assert stats.kstest(draws, "uniform").pvalue > 0.01


def test_generators_depend_on_seed_and_names_alone() -> None:
    a = make_rng(1, "relief", "scene-3").random(8)
    np.testing.assert_array_equal(a, make_rng(1, "relief", "scene-3").random(8))
    assert not np.array_equal(a, make_rng(2, "relief", "scene-3").random(8))
    assert not np.array_equal(a, make_rng(1, "relief", "scene-4").random(8))


def test_draws_for_many_keys_are_uniform_and_apart() -> None:
    keys = np.random.default_rng(0).integers(0, 2**63, 20_000, dtype=np.uint64)
    fog, snow, other = (stable_draws(*purpose, keys) for purpose in ((0, "fog"), (0, "snow"), (1, "fog")))
    for draws in (fog, snow, other):
        assert stats.kstest(draws, "uniform").pvalue > 1e-4
    for draws in (snow, other):
        assert abs(np.corrcoef(fog, draws)[0, 1]) < 0.03
    np.testing.assert_array_equal(stable_draws(0, "fog", keys[::7]), fog[::7])
