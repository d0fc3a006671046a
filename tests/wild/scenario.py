"""Runs in a fresh environment: an analyst's session, cell by cell, in a real IPython shell.

Prints as JSON what the cells came to; the first cell that fails ends it with its own traceback.
"""

import json
import sys
import warnings
from pathlib import Path

import matplotlib as mpl
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

SIGN_IN = """
%load_ext alchemer_nb
%alchemer demo --responses 300
"""
DOWNLOAD = '%alchemer df << responses "Customer satisfaction" --complete --since 2026-01-01'

LOOK = """
found = list(df.alchemer.find("recommend")["column"])
mean, top_two = df["nps"].mean(), df.alchemer.top("satisfaction", 2)
channels = df.alchemer.columns("channels")
means = df.groupby("region", observed=False)[df.alchemer.columns("channels")].mean()
"""

MODEL = """
import statsmodels.formula.api as smf
model = df.alchemer.for_model()
fit = smf.ols("nps ~ C(region)", model).fit()
answered = df.dropna(subset=["nps", "region"]).astype({"region": str})
expected = answered.groupby("region")["nps"].mean()
predicted = fit.fittedvalues.groupby(answered["region"]).mean()
several = smf.ols("nps ~ C(region) + C(satisfaction) + channels_web + age", model).fit()
logit = smf.logit("channels_web ~ nps", model).fit(disp=False)
"""

DRAW = """
import matplotlib.pyplot as plt
import seaborn as sns

def bars(axes):
    return sorted(round(float(bar.get_height()), 6) for bar in axes.patches if bar.get_height())

def ticks(axes):
    return [label.get_text() for label in axes.get_xticklabels()]

sns.set_theme()
fig, (counts, box, web, times) = plt.subplots(4, figsize=(8, 14))
sns.countplot(df, x="satisfaction", ax=counts)
sns.boxplot(df, x="region", y="nps", hue="recent_customer", ax=box)
sns.barplot(df, x="region", y="channels_web", errorbar=None, ax=web)
sns.scatterplot(df, x="date_submitted", y="nps", ax=times)
fig.savefig(folder / "drawn.png")
drawn = {"counts": bars(counts), "ticks": ticks(counts), "web": bars(web),
         "points": len(times.collections[0].get_offsets())}
lists = df.alchemer.relabel(shape="long")
sns.countplot(lists[lists["column"].isin(channels)], y="value")
plt.close("all")
"""

FILES = """
import openpyxl, pandas as pd
import alchemer_nb as al
df.alchemer.to_excel(folder / "customers.xlsx")
book = openpyxl.load_workbook(folder / "customers.xlsx")
sheet = pd.read_excel(folder / "customers.xlsx", sheet_name="responses")
plain = df.assign(**{name: df[name].dt.tz_localize(None)
                     for name in df.select_dtypes("datetimetz")})
plain.to_excel(folder / "plain.xlsx")
df.alchemer.to_parquet(folder / "customers.parquet")
again = al.read_parquet(folder / "customers.parquet")
same = again.equals(df)
"""

TOGETHER = """
crm = df[["contact_id"]].dropna().drop_duplicates().assign(segment="gold")
crm = crm.iloc[: max(1, len(crm) // 2)]
joined = df.alchemer.join(crm, on="contact_id")
merged = df.reset_index().merge(crm, on="contact_id", how="left")
attached = df.alchemer.attach(merged)
halves = pd.concat([df.head(20), df.iloc[20:]])
"""

ANSWER = """
answer = {
    "rows": len(df),
    "statuses": sorted(df["status"].astype(str).unique()),
    "first": df["date_submitted"].min().isoformat(),
    "found": found,
    "mean": float(mean),
    "top_two": float(top_two),
    "channels": channels,
    "means": {str(k): v for k, v in means["channels_web"].astype(float).to_dict().items()},
    "regions": list(df["region"].cat.categories),
    "web": sorted(round(v, 6) for v in means["channels_web"].dropna().astype(float) if v),
    "expected": {k: round(v, 6) for k, v in expected.items()},
    "predicted": {k: round(v, 6) for k, v in predicted.items()},
    "fitted": [int(fit.nobs), int(several.nobs), int(logit.nobs)],
    "ranks": [[int(m.model.rank), len(m.params)] for m in (fit, several)],
    "terms": list(several.params.index),
    "answered": int(df["nps"].notna().sum()),
    "satisfaction": {
        str(k): int(v) for k, v in df["satisfaction"].value_counts(sort=False).items()
    },
    "drawn": drawn,
    "sheets": book.sheetnames,
    "sheet": [list(sheet.columns), len(sheet)],
    "names": list(df.columns),
    "same": bool(same),
    "again": again.alchemer.columns("channels"),
    "joined": [len(joined), list(joined.columns)[-1], joined.alchemer.columns("channels")],
    "joined_top": float(joined.alchemer.top("satisfaction", 2)),
    "attached_top": float(attached.alchemer.top("satisfaction", 2)),
    "halves": [bool(halves.equals(df)), halves.alchemer.columns("nps")],
    "no_segment": int(joined["segment"].isna().sum()),
}
"""


def main(folder):
    mpl.use("Agg")
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    shell.user_ns["folder"] = folder
    cells = (SIGN_IN, DOWNLOAD, LOOK, MODEL, DRAW, FILES, TOGETHER, ANSWER)
    for kind in (DeprecationWarning, FutureWarning):
        warnings.filterwarnings("error", category=kind, module="alchemer_nb")
    for cell in cells:
        shell.run_cell(cell).raise_error()
    answer = shell.user_ns["answer"]
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
    shell.run_line_magic("alchemer", "logout")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
