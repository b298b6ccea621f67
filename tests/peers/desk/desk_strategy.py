"""A strategy for freqtrade that leaves a trade of every kind: it is not meant to earn."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy
from pandas import DataFrame


class OneSide(IStrategy):
    """Follows a break of a band, both ways; targets, a stop that trails, a second entry, half an exit, a time limit."""

    INTERFACE_VERSION = 3
    timeframe = "4h"
    can_short = False
    startup_candle_count = 30
    minimal_roi: ClassVar = {"0": 0.12, "2880": 0.06}
    stoploss = -0.08
    trailing_stop = True
    trailing_stop_positive = 0.03
    trailing_stop_positive_offset = 0.07
    trailing_only_offset_is_reached = True
    position_adjustment_enable = True
    max_entry_position_adjustment = 1
    use_exit_signal = True
    order_types: ClassVar = {"entry": "market", "exit": "market", "stoploss": "market", "stoploss_on_exchange": False}

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Distance of the close from its mean, in deviations."""
        mean, spread = dataframe["close"].rolling(20).mean(), dataframe["close"].rolling(20).std()
        return dataframe.assign(z=(dataframe["close"] - mean) / spread)

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Enter where the band is left."""
        z, before = dataframe["z"], dataframe["z"].shift()
        dataframe.loc[(z > 1) & (before <= 1), ["enter_long", "enter_tag"]] = (1, "breakout")
        if self.can_short:
            dataframe.loc[(z < -1) & (before >= -1), ["enter_short", "enter_tag"]] = (1, "breakdown")
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Leave where the other side of the band is reached."""
        dataframe.loc[dataframe["z"] < -1.2, "exit_long"] = 1
        dataframe.loc[dataframe["z"] > 1.2, "exit_short"] = 1
        return dataframe

    def leverage(
        self, pair: str, current_time: datetime, current_rate: float, *args: object, **kwargs: object
    ) -> float:
        """Twice the stake where futures allow it."""
        return 2.0

    def adjust_trade_position(
        self, trade: Trade, current_time: datetime, current_rate: float, current_profit: float, *args: object,
        **kwargs: object,
    ) -> tuple[float, str] | None:  # fmt: skip
        """Add once to a loser in the first pair, sell half of a winner in the second."""
        if trade.has_open_orders:
            return None
        if "S01" in trade.pair and current_profit < -0.05 and trade.nr_of_successful_entries == 1:
            return trade.stake_amount, "second_entry"
        if "S02" in trade.pair and current_profit > 0.05 and trade.nr_of_successful_exits == 0:
            return -trade.stake_amount / 2, "half_exit"
        return None

    def custom_exit(
        self, pair: str, trade: Trade, current_time: datetime, current_rate: float, current_profit: float,
        **kwargs: object,
    ) -> str | None:  # fmt: skip
        """Leave after four days."""
        return "four_days" if current_time - trade.open_date_utc > timedelta(days=4) else None


class BothSides(OneSide):
    """The same where shorts can be had."""

    can_short = True
