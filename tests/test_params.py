"""params.yaml: what is accepted, and the one line that each mistake gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgebook.errors import SettingsError
from edgebook.paths import repository
from edgebook.settings.loading import load_params, section
from edgebook.settings.params import Bars, Gate, Params, Recipe, Run, Tuning, plain
from edgebook.settings.settings_yaml import read_mapping

SHIPPED = repository() / "params.yaml"


@pytest.fixture
def settings():
    """The shipped settings as plain mappings, to be spoiled."""
    return read_mapping(SHIPPED)


def complaint(settings) -> str:
    with pytest.raises(SettingsError) as caught:
        section(Params, settings, where="params.yaml")
    text = str(caught.value)
    assert "\n" not in text
    return text


def write(tmp_path: Path, *, old: str, new: str) -> Path:
    """The shipped file with one text replaced by another."""
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "params.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_shipped_settings_load():
    params = load_params(SHIPPED)
    assert [name for name, recipe in params.recipes.items() if recipe.role == "champion"] == ["r1"]
    assert params.candidates.time_limit_bars == (12, 24)


def test_plain_turns_settings_back_into_what_was_read():
    params = load_params(SHIPPED)
    assert section(Params, json.loads(json.dumps(plain(params))), where="params.yaml") == params


def test_a_misspelt_setting_is_told_its_near_miss(settings):
    settings["tuning"]["trails"] = settings["tuning"].pop("trials")
    assert complaint(settings) == "params.yaml: tuning.trails: no such setting; did you mean trials?"


def test_a_misspelt_section_is_told_its_near_miss(settings):
    settings["tunning"] = settings.pop("tuning")
    assert complaint(settings) == "params.yaml: tunning: no such setting; did you mean tuning?"


def test_a_setting_like_no_other_is_told_which_there_are(settings):
    settings["ab_test"]["zzz"] = 1
    assert complaint(settings) == "params.yaml: ab_test.zzz: no such setting; known are routing, share, salt"


def test_a_missing_section_is_named(settings):
    del settings["gate"]
    assert complaint(settings) == "params.yaml: gate: missing; add it"


def test_a_missing_setting_is_named(settings):
    del settings["sizing"]["max_leverage"]
    assert complaint(settings) == "params.yaml: sizing.max_leverage: missing; add it"


def test_a_section_that_is_not_one_is_refused(settings):
    settings["gate"] = [1, 2]
    assert complaint(settings) == "params.yaml: gate: must be a mapping of settings, is [1, 2]"


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        (("tuning", "trials"), "many", "tuning.trials: must be a whole number, is 'many'"),
        (("tuning", "trials"), 4.5, "tuning.trials: must be a whole number, is 4.5"),
        (("tuning", "trials"), True, "tuning.trials: must be a whole number, is True"),
        (("tuning", "trials"), None, "tuning.trials: must be a whole number, is None"),
        (("sizing", "risk_per_trade"), "0.5 %", "sizing.risk_per_trade: must be a number, is '0.5 %'"),
        (("sizing", "risk_per_trade"), float("nan"), "sizing.risk_per_trade: must be a finite number, is nan"),
        (("run", "history"), 7, "run.history: must be text, is 7"),
        (("bars", "timeframes"), "1h", "bars.timeframes: must be a list, is '1h'"),
        (("ab_test", "share"), "half", "ab_test.share: must be a number, is 'half'"),
        (("candidates", "stop_loss_atr"), [1.0, "x"], "candidates.stop_loss_atr[1]: must be a number, is 'x'"),
    ],
)
def test_a_wrong_type_is_told_the_right_one(settings, where, value, said):
    part, name = where
    settings[part][name] = value
    assert complaint(settings) == f"params.yaml: {said}"


def test_a_whole_number_will_do_for_a_number(settings):
    settings["sizing"]["max_leverage"] = 3
    assert section(Params, settings, where="params.yaml").sizing.max_leverage == 3.0


def test_an_unknown_choice_is_told_its_near_miss(settings):
    settings["bars"]["source"] = "cripto"
    said = complaint(settings)
    assert said.startswith("params.yaml: bars.source: 'cripto' is not one of crypto, equities, synthetic, folder")
    assert said.endswith("did you mean crypto?")


@pytest.mark.parametrize("share", [0.0, 1.0, 1.5])
def test_each_arm_of_a_routed_account_needs_a_share(settings, share):
    settings["ab_test"] = {"routing": "randomised", "share": share}
    assert complaint(settings).startswith(f"params.yaml: ab_test.share: must lie between 0 and 1, is {share}")


def test_a_date_without_quotes_is_told_to_take_them(tmp_path):
    path = write(tmp_path, old='genesis: "2018-04-02"', new="genesis: 2018-04-02")
    with pytest.raises(SettingsError, match=r'^params\.yaml: run\.genesis: put the date in quotes: "2018-04-02"$'):
        load_params(path)


def test_a_date_that_is_none_is_refused(settings):
    settings["run"]["genesis"] = "spring"
    assert complaint(settings) == "params.yaml: run.genesis: 'spring' is not a date like 2019-07-01"


def test_a_day_that_is_no_monday_is_told_the_one_before(settings):
    settings["run"]["as_of"] = "2019-07-03"
    assert complaint(settings) == (
        "params.yaml: run.as_of: 2019-07-03 is a Wednesday; "
        "weeks end on a Monday 00:00 UTC, the one before is 2019-07-01"
    )


def test_previous_must_be_the_week_before():
    run = {"history": "main", "as_of": "2019-07-01", "previous": "2019-06-17", "genesis": "2018-04-02"}
    with pytest.raises(SettingsError, match=r"run\.previous: must be the Monday before as_of, 2019-06-24$"):
        section(Run, run, where="params.yaml: run")


def test_genesis_must_lie_before_the_week():
    run = {"history": "main", "as_of": "2019-07-01", "previous": "2019-06-24", "genesis": "2019-07-01"}
    with pytest.raises(SettingsError, match="genesis: 2019-07-01 must lie before as_of 2019-07-01"):
        section(Run, run, where="params.yaml: run")


@pytest.mark.parametrize("name", ["", "a/b", "../main", "two words"])
def test_a_history_must_name_a_folder(settings, name):
    settings["run"]["history"] = name
    assert "(it names a folder)" in complaint(settings)


def test_an_unknown_timeframe_is_refused(settings):
    settings["bars"]["timeframes"] = ["1h", "2h"]
    assert complaint(settings) == "params.yaml: bars.timeframes: '2h' is not one of 1m, 5m, 15m, 30m, 1h, 4h, 1d"


def test_an_exit_plan_outside_the_grid_is_refused(settings):
    settings["recipes"]["r1"]["exit_plan"] = "tp9.0_sl1.5_t24"
    assert "recipes.r1.exit_plan: tp9.0_sl1.5_t24 is not in the grid of section candidates" in complaint(settings)


def test_two_champions_are_refused(settings):
    settings["recipes"]["r2"]["role"] = "champion"
    said = complaint(settings)
    assert said == "params.yaml: recipes: exactly one has role champion at genesis, found ['r1', 'r2']"


def test_no_champion_is_refused(settings):
    settings["recipes"]["r1"]["role"] = "baseline"
    assert "exactly one has role champion" in complaint(settings)


def test_two_challengers_are_refused(settings):
    settings["recipes"]["r4"] = {"role": "challenger", "exit_plan": "tp2.0_sl1.5_t24"}
    assert "at most one has role challenger" in complaint(settings)


def test_a_head_that_does_not_exist_is_refused(settings):
    settings["recipes"]["r1"]["head_shrinkage"] = {"Z": 10.0}
    assert complaint(settings) == "params.yaml: recipes.r1.head_shrinkage: 'Z' is not a head; heads are A to I"


def test_lags_may_not_be_bounded_more_tightly_than_leads(settings):
    settings["gate"]["max_loss_r"] = 3.0
    assert "a book that picks pennies" in complaint(settings)


def test_a_pin_needs_a_monday(settings):
    settings["learning"]["pins"] = [{"week": "2019-07-02", "version": "r1", "reason": "x"}]
    assert complaint(settings).startswith("params.yaml: learning.pins[0].week: 2019-07-02 is a Tuesday")


def test_a_proposal_without_a_date_is_told_to_take_one(tmp_path):
    path = write(tmp_path, old="    role: challenger\n", new="    role: proposal\n")
    with pytest.raises(SettingsError, match=r"recipes\.r3\.proposed: a proposal is dated; give the Monday"):
        load_params(path)


def test_a_small_number_may_be_written_with_an_exponent(tmp_path):
    path = write(tmp_path, old="risk_per_trade: 0.005", new="risk_per_trade: 5e-3")
    assert load_params(path).sizing.risk_per_trade == 0.005


def test_a_file_that_is_no_yaml_is_one_line(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("run: {history: main\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_params(path)
    assert str(caught.value).startswith("params.yaml: not valid YAML: ")
    assert "\n" not in str(caught.value)


def test_a_key_given_twice_is_refused(tmp_path):
    path = write(tmp_path, old="  atr_bars: 14\n", new="  atr_bars: 14\n  atr_bars: 15\n")
    with pytest.raises(SettingsError, match=r"^params\.yaml: not valid YAML: .*duplicate key"):
        load_params(path)


def test_an_empty_file_and_a_missing_one_are_named(tmp_path):
    path = tmp_path / "params.yaml"
    with pytest.raises(SettingsError, match="no such file"):
        load_params(path)
    path.write_text("", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"^params\.yaml: must be a mapping of sections, is NoneType$"):
        load_params(path)


def test_sections_stand_alone():
    assert section(Bars, {"source": "crypto", "timeframes": ["1h"]}, where="bars").synthetic.kind == "no_edge"
    assert section(Recipe, {"exit_plan": "tp2.0_sl1.5_t24"}, where="recipe").min_heads_agree == 3


@pytest.mark.parametrize("kind", [Gate, Tuning])
def test_settings_cannot_be_changed_after_they_were_checked(kind):
    built = getattr(load_params(SHIPPED), kind.__name__.lower())
    with pytest.raises(AttributeError):
        built.seed = 1
