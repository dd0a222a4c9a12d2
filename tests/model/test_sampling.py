"""The choice of tokens: random numbers, noise, and the distribution that they make."""

import numpy as np
import pytest

from lutformer.model.sampling import Sampler, Sampling, gumbel_table, next_random

STEPS_PER_NAT = 200


def draw(sampling, logits, count=20_000):
    choose = Sampler(sampling)
    return np.bincount([choose(logits) for _ in range(count)], minlength=len(logits)) / count


def test_random_numbers_are_xorshift32():
    state, out = 1, []
    for _ in range(3):
        state = next_random(state)
        out.append(state)
    assert out == [270369, 67634689, 2647435461]  # Marsaglia's 13, 17, 5 from 1


def test_noise_is_gumbels():
    noise = np.array(gumbel_table()) / 256
    assert (noise.min(), noise.max()) == (-520 / 256, 1952 / 256)
    assert abs(noise.mean() - np.euler_gamma) < 2e-3
    assert abs(noise.var() - np.pi**2 / 6) < 0.02


def test_tokens_are_drawn_from_the_softmax():
    nats = np.array([1.0, 0.0, 2.0, -1.0, 0.5])
    logits = np.round(nats * STEPS_PER_NAT).astype(np.int64)
    for temperature in (0.5, 1.0, 2.0):
        expected = np.exp(nats / temperature) / np.exp(nats / temperature).sum()
        m = round(STEPS_PER_NAT * temperature)
        drawn = draw(Sampling(temperature=m, seed=7), logits)
        assert np.abs(drawn - expected).max() < 0.012
        best = nats >= 1
        kept = np.where(best, expected, 0) / expected[best].sum()
        drawn = draw(Sampling(temperature=m, top_k=2, seed=7), logits)
        assert np.abs(drawn - kept).max() < 0.012


def test_greedy_takes_the_first_of_the_largest():
    logits = np.array([3, 7, 7, -1])
    for top_k in (0, 1, 3, 100):
        assert Sampler(Sampling(top_k=top_k))(logits) == 1


@pytest.mark.parametrize(
    ("field", "value", "range_"),
    [("temperature", 32768, "0 to 32767"), ("top_k", -1, "0 to 65535"), ("seed", 0, "1 to ")],
)
def test_what_has_no_word_is_refused(field, value, range_):
    with pytest.raises(ValueError, match=rf"^Sampling.{field} must be {range_}.*, not {value}$"):
        Sampling(**{field: value})
