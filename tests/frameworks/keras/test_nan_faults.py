"""One fault of each family in a model of Keras: phase, family, line, layer and rows, all right."""

from __future__ import annotations

import pytest
from keras_nan import FAULTS, FORMS, Fault, data, model, traced, verify

EVERY = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)


@EVERY
def test_each_is_named_with_its_line_layer_and_rows(fault: Fault) -> None:
    x, y = data()
    form = FORMS[FAULTS.index(fault) % len(FORMS)]
    verify(traced(model(form, fault.layer, loss=fault.loss), x=x, y=y), fault)


@pytest.mark.deep
@EVERY
@pytest.mark.parametrize("form", FORMS)
def test_each_in_each_form_of_model(fault: Fault, form: str) -> None:
    x, y = data()
    verify(traced(model(form, fault.layer, loss=fault.loss), x=x, y=y), fault)
