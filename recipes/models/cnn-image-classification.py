# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   recipe:
#     title: {en: "CNN image classification: two classes and many", zh: "CNN 图像分类：二分类与多分类"}
#     description:
#       en: "Tell ten animals, then trees from ground, with one small CNN; test normalization, augmentation, the head and the loss one at a time."
#       zh: "用同一个小 CNN 区分十种动物、再区分树与地面；归一化、数据增强、分类头与损失，逐项实测。"
#     level: beginner
#     tags: [images, cnn, classification, pytorch]
#     builds_on: [models/cnn-digits]
#     requires: [{name: "animal-mnist==0.4", deps: false}, {name: "deepforest==2.1.0", deps: false}]
#     data: [{name: "Animal shapes, 10,000 images", source: "animal-mnist", licence: "MIT", url: "https://pypi.org/project/animal-mnist/"}, {name: "Aerial images of Yellowstone with 853 tree boxes", source: "deepforest, data", licence: "MIT; images by NEON", url: "https://github.com/weecology/DeepForest"}]
#     seconds: 60
#     headline: {figure: "accuracy, CNN", baseline: "accuracy, SVM", better: higher}
#     breaks:
#       - {name: "untrained", find: "loss_of(logits, labels[batch]).backward()", replace: "pass"}
#       - {name: "labels of other images", find: "loss_of(logits, labels[batch]).backward()", replace: "loss_of(logits, labels[batch.roll(1)]).backward()"}
#       - {name: "difference of logits reversed", find: "two.weight[0] + one.weight[0]", replace: "two.weight[0] - one.weight[0]"}
#       - {name: "no batch normalization", find: "[nn.BatchNorm2d(width)] if batch_norm", replace: "[nn.Identity()] if batch_norm"}
# ---

# %% [markdown] lang="en"
# # CNN image classification: two classes and many
#
# Tell ten animals apart by their shape, then trees from bare ground in aerial photographs, with one small convolutional network.
# In about half a minute on one CPU core you will also see what each ingredient of the usual list is worth.

# %% [markdown] lang="zh"
# # CNN 图像分类：二分类与多分类
#
# 用同一种小卷积网络，先按外形区分十种动物，再在航拍照片里区分树与空地。单个 CPU 核心跑半分钟左右，
# 还能看到“标准清单”上的每一项各值多少。

# %% [markdown] lang="en"
# ## The question
#
# > Image classification: decide whether a picture shows a cat or a dog.
# >
# > Image recognition: build a CNN classifier for many classes.

# %% [markdown] lang="zh"
# ## 问题
#
# > 图像分类：判断一张图片是猫还是狗。
# >
# > 图像识别：用 CNN 实现一个多类别分类器。

# %% [markdown] lang="en"
# ## Short answer
#
# Scale the pixels (**normalization**), show the network shifted, turned and mirrored copies (**data augmentation**) and stack blocks of
# **convolution**, batch normalization and **pooling**; average each feature map over the image and end in one small **dense**
# layer instead of a giant one. For many classes that layer gives one logit a class, trained by **softmax cross-entropy**; for two, **one logit with a
# sigmoid** and binary cross-entropy is the same model. Minimize the **loss** with a **gradient-descent optimizer** such as Adam
# and a learning rate that rises and falls. Choose learning rate, width and epochs (**hyperparameter tuning**) on a validation part;
# open the test part once. Report **accuracy** beside a rival without a network, and the errors of each class.

# %% [markdown] lang="zh"
# ## 简短回答
#
# 先缩放像素（**归一化**，normalization），训练时给网络看平移、旋转、镜像过的图（**数据增强**，data augmentation），再堆叠几组**卷积**、
# 批归一化（batch normalization）和**池化**；把每张特征图在整幅图上取平均，最后只接一个很小的**全连接层**。多分类时这一层每类一个 logit，
# 用 **softmax 交叉熵**训练；二分类时**一个 logit 加 sigmoid**，配二元交叉熵，与 softmax 是同一个模型。用 Adam 这样的**梯度下降优化器**最小化**损失**，
# 学习率先升后降。学习率、层宽、轮数（**超参数调优**）在验证集上选，测试集只打开一次。除了**准确率**，还要报告不用网络的对手得分和每一类的错误。

# %%
import gzip
import time
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.flop_counter import FlopCounterMode

# %%
SEED = 0
ANIMALS = ["bear", "bird", "cat", "cow", "dog", "elephant"]
ANIMALS += ["giraffe", "horse", "sheep", "zebra"]
VALID_SIZE, TEST_SIZE = 1000, 2500  # images
WIDTHS = (16, 32, 64)  # feature maps of the three convolutions
EPOCHS, BATCH_SIZE, LEARNING_RATE = 4, 64, 1e-2
ARM_SIZE, ARM_EPOCHS = 640, 4  # images and epochs of each comparison
DENSE = {"epochs": 2, "rate": 1e-3, "augment": False}  # of the dense head
TREE_EPOCHS, HALF = 8, 20  # half the side of a crop, in pixels
torch.manual_seed(SEED)
device = torch.accelerator.current_accelerator(True) or torch.device("cpu")

# %% [markdown] lang="en"
# ## Data
#
# Ten thousand grey pictures of 28 × 28 pixels, a thousand of each animal. The package stores pickles, which may run code when loaded;
# the arrays are plain bytes inside, so NumPy reads those and nothing is executed. Some pictures occur more than once: the copies go
# *before* the split, or test pictures would sit in the training part.

# %% [markdown] lang="zh"
# ## 数据
#
# 一万张 28 × 28 像素的灰度图，每种动物一千张。包里存的是 pickle，加载时可能执行代码；而数组在文件里就是一段连续字节，
# 所以直接让 NumPy 读字节，什么也不执行。有些图不止出现一次：重复的要在划分*之前*删掉，否则测试图会混进训练集。


# %% alt_en="Ten rows of small grey animal pictures, one animal a row: most are silhouettes, zebras have stripes." alt_zh="十行灰度小图，每行一种动物：多为剪影，斑马带条纹。"
def read_array(path, dtype, shape):
    """The array inside a gzipped pickle, read without unpickling it."""
    raw, empty = gzip.decompress(path.read_bytes()), np.empty(shape, dtype)
    start = raw.index(b"B" + empty.nbytes.to_bytes(4, "little")) + 5
    return np.frombuffer(raw, dtype, empty.size, start).reshape(shape)


folder = Path(find_spec("animal_mnist").origin).parent / "data/Animal_MNIST"
pixels = read_array(folder / "animal_data_version_3.gz", "u1", (10000, 784))
label = read_array(folder / "animal_label_version_3.gz", "<i8", (10000,))
_, first = np.unique(pixels, axis=0, return_index=True)
print(f"{len(pixels)} images less {len(pixels) - len(first)} copies")
pixels, label = pixels[np.sort(first)], label[np.sort(first)]
order = np.random.default_rng(SEED).permutation(len(label))
test, valid, train = np.split(order, [TEST_SIZE, TEST_SIZE + VALID_SIZE])

rows = [pixels[label == k][:12].reshape(12, 28, 28) for k in range(10)]
plt.imshow(np.vstack([np.hstack(row) for row in rows]), cmap="gray")
plt.yticks(np.arange(14, 280, 28), ANIMALS)
plt.gca().set(title="Twelve pictures of each animal", xticks=[])
plt.show()

# %% [markdown] lang="en"
# ## Where the usual answer goes wrong
#
# **One convolution, then a giant dense layer.** The copied network runs one convolution over 128 × 128 colour images, flattens
# 63 × 63 × 32 numbers and feeds 128 units. PyTorch's `meta` device builds it without memory, so its parameters can be counted.

# %% [markdown] lang="zh"
# ## 常见答案错在哪里
#
# **一层卷积后面接一个巨大的全连接层。** 那份流传的网络在 128 × 128 彩色图上只做一层卷积，就把 63 × 63 × 32 个数摊平，接到 128 个单元上。
# PyTorch 的 `meta` 设备只建结构不占内存，正好用来数参数。


# %%
def make_copied(channels, size, outputs, units):
    """The copied answer: one convolution, flatten, a large dense layer."""
    features = 32 * ((size - 2) // 2) ** 2
    layers = [nn.Conv2d(channels, 32, 3), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Flatten(), nn.Linear(features, units), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(units, outputs))


def count(net):
    return sum(weight.numel() for weight in net.parameters())


with torch.device("meta"):
    copied = make_copied(channels=3, size=128, outputs=1, units=128)
print(f"{count(copied):,} parameters, {count(copied[4]):,} in one layer")

# %% [markdown] lang="en"
# **The steps that are promised but absent.** Normalization, augmentation and a validation part stand in the answer's text and
# not in its code, so nobody sees what they are worth; below the first two are switched off and judged on the third. And **labels**: text labels must
# become numbers first, 0 or 1 for one logit, an index for softmax. PyTorch's `cross_entropy` and Keras's `sparse_categorical_crossentropy`
# take the index; plain `categorical_crossentropy` wants one-hot rows. One output under softmax is always exactly 1 and learns
# nothing.

# %% [markdown] lang="zh"
# **正文里说了、代码里没有的步骤。** 归一化、数据增强、验证集都写在那份答案的正文里，代码里却没有，于是谁也不知道它们值多少；下面把前两样逐个关掉，在验证集上实测差多少。
# 还有**标签**：文字标签要先变成数，一个 logit 用 0 或 1，softmax 用类别序号。PyTorch 的 `cross_entropy` 和 Keras 的
# `sparse_categorical_crossentropy` 接受序号；不带 sparse 的 `categorical_crossentropy` 要 one-hot。而只有一个输出的 softmax 恒等于 1，什么也学不到。

# %% [markdown] lang="en"
# ## Baseline: pixels and a support vector machine
#
# The rival without a network is a support vector machine with an RBF kernel on the principal components of the pixels. It sees the
# training part of the CNN and a mirrored copy of each picture, since animals look both ways; the number of components was compared on
# the validation part. The floor is guessing one animal for all.

# %% [markdown] lang="zh"
# ## 基线：像素加支持向量机
#
# 不用网络的对手是在像素的主成分上用 RBF 核的支持向量机（SVM）。它与 CNN 用同一份训练集，外加每张图的镜像，因为动物朝左朝右都有；
# 主成分的个数在验证集上比较过。下限是全猜同一种动物。

# %%
mirrored = pixels[train].reshape(-1, 28, 28)[..., ::-1].reshape(-1, 784)
svm = make_pipeline(PCA(40, random_state=SEED), SVC(C=10))
svm.fit(np.vstack([pixels[train], mirrored]), np.tile(label[train], 2))
svm_accuracy = svm.score(pixels[test], label[test])

# %% [markdown] lang="en"
# ## The recipe: blocks, global pooling, a small head
#
# Each block is a 3 × 3 convolution, a maximum over 2 × 2 pixels, batch normalization and ReLU. Averaging each map over the image
# leaves one number a map, whatever the image size: the dense layer has a weight for each map and class. The shape of the logits
# says which loss is meant and how to read the class: a single logit above zero, a probability above one half, is class 1.
#
# Augmentation turns, scales, shifts and mirrors every other picture of a batch and leaves the rest as they are. Warping all of
# them was tried too and needed more epochs than these: the network then hardly meets a picture such as it is tested on.

# %% [markdown] lang="zh"
# ## 做法：卷积块、全局池化、小分类头
#
# 每个块依次是 3 × 3 卷积、在 2 × 2 像素上取最大值、批归一化、ReLU。每张特征图在整幅图上取平均，只剩一个数，与图像大小无关：
# 全连接层只需给每张特征图、每个类别一个权重。用哪种损失、怎样读出类别，都由 logits 的形状决定：只有一个 logit 时，大于零（概率大于一半）就是类别 1。
#
# 数据增强只变形一半的图：每批隔一张做旋转、缩放、平移、镜像，其余保持原样。也试过全部变形，但这么少的轮数不够用：
# 那样网络几乎见不到与测试时一样的图。


# %%
def make_cnn(channels, outputs, batch_norm=True):
    """Images (n, channels, h, w) to logits (n, outputs), for any h and w."""
    layers = []
    for width in WIDTHS:
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.MaxPool2d(2)]
        layers += [nn.BatchNorm2d(width)] if batch_norm else []
        layers.append(nn.ReLU())
        channels = width
    layers.append(nn.AdaptiveAvgPool2d(1))  # global: one number a map
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels, outputs))


def loss_of(logits, target):
    if logits.shape[1] > 1:  # softmax, one logit a class
        return F.cross_entropy(logits, target)
    return F.binary_cross_entropy_with_logits(logits[:, 0], target.float())


def classes_of(logits):
    one = logits.shape[1] == 1
    return (logits[:, 0] > 0).long() if one else logits.argmax(dim=1)


def warp(images):
    """Turn, scale, shift and mirror each of (n, c, h, w) at random."""
    draw = torch.rand(5, len(images)) * 2 - 1
    angle, scale, mirror = 0.2 * draw[0], 1 + 0.15 * draw[1], draw[2].sign()
    cos, sin = scale * angle.cos(), scale * angle.sin()
    rows = [mirror * cos, -sin, 0.15 * draw[3], mirror * sin, cos]
    matrix = torch.stack([*rows, 0.15 * draw[4]], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(matrix.to(images.device), images.shape, False)
    return F.grid_sample(images, grid, "bilinear", "border", False)


def fit(net, images, labels, epochs, rate=LEARNING_RATE, augment=True):
    """Minimize cross-entropy with Adam; returns the seconds it took."""
    net.to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(net.parameters(), fused=True)
    steps = epochs * -(-len(images) // BATCH_SIZE)
    schedule = OneCycleLR(optimizer, rate, steps)
    start = time.perf_counter()
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(BATCH_SIZE):
            inputs = images[batch]  # a copy
            if augment:  # every other picture of the batch
                inputs[::2] = warp(inputs[::2])
            logits = net(inputs)
            optimizer.zero_grad()
            loss_of(logits, labels[batch]).backward()
            optimizer.step()
            schedule.step()
    return time.perf_counter() - start


@torch.no_grad()
def predict(net, images):
    net.eval()
    return torch.cat([net(part) for part in images.split(BATCH_SIZE)])


def accuracy(net, images, labels):
    return (classes_of(predict(net, images)) == labels).float().mean().item()


# %% [markdown] lang="en"
# **Ablation.** The arms below train on the same few images and are judged on the validation part, two of them also on *warped*
# pictures: turned, scaled, shifted and perhaps mirrored. After the CNN itself come no augmentation, raw pixels, and no batch normalization,
# one change at a time. Mean and spread for normalization come from the training part alone. Last the copied network, its dense layer
# widened until it has about as many parameters here as on 128 × 128 pixels, without augmentation, with Adam's default rate and half
# the epochs, as each takes so long. *Work* counts multiplications over all epochs, relative to the CNN.

# %% [markdown] lang="zh"
# **消融。** 下面各组都用同样的少量训练图，在验证集上评判，其中两组还要面对*变形*后的图（随机旋转、缩放、平移，有的还镜像）。
# CNN 本身之后，依次去掉数据增强、改用原始像素、去掉批归一化，每次只改一处。归一化用的均值和标准差只来自训练集。最后一组是流传的那个网络：
# 把全连接层加宽，让它在这里的参数与在 128 × 128 像素上差不多；不用增强，学习率用 Adam 的默认值，轮数减半，因为它每一轮实在太慢。
# 表中的 *work* 是全部轮数的乘法次数，以 CNN 为 1。

# %%
raw = torch.tensor(pixels, device=device).float().view(-1, 1, 28, 28)
images = (raw - raw[train].mean()) / raw[train].std()
labels = torch.tensor(label, device=device)
arms = {  # network, images, further arguments of fit
    "CNN": (make_cnn(1, 10), images, {}),
    "no augmentation": (make_cnn(1, 10), images, {"augment": False}),
    "raw pixels": (make_cnn(1, 10), raw, {}),
    "no batch norm": (make_cnn(1, 10, batch_norm=False), images, {}),
    "dense head": (make_copied(1, 28, 10, units=3000), images, DENSE),
}
few, arm, work = train[:ARM_SIZE], {}, {}
for name, (net, inputs, options) in arms.items():
    options = {"epochs": ARM_EPOCHS} | options
    seconds = fit(net, inputs[few], labels[few], **options)
    with FlopCounterMode(display=False) as counter:
        arm[name] = accuracy(net, inputs[valid], labels[valid])
    work[name] = options["epochs"] * counter.get_total_flops()
    row = f"{count(net):10,} parameters, work {work[name] / work['CNN']:3.1f}"
    print(f"{name:16} {row} ({seconds:4.1f} s): {arm[name]:.3f}")
warped = warp(images[valid])
for name in ("CNN", "no augmentation"):
    arm[f"{name}, warped"] = accuracy(arms[name][0], warped, labels[valid])
    print(f"{name:16} on warped pictures {arm[f'{name}, warped']:.3f}")

# %% [markdown] lang="en"
# What the rows say. Of the two kinds of **normalization**, batch normalization counts most: without it the same network learns far
# more slowly. Raw pixels do less harm, since batch normalization rescales what the first convolution makes of them.
# **Augmentation** does not buy accuracy on pictures like those of training in so few epochs; it buys robustness against what it
# shows: trained without it, the network is wrong more often once pictures are warped. The **dense head** keeps a weight for
# each place and each map: hundreds of times the parameters, several times the work in half the epochs, and a lower score than
# the small head that trained without augmentation too. That is its price rather than a ceiling: with as many epochs it
# comes close, at double the work again (exercise 1).
#
# The final network, trained on the whole training part, meets the test part once.

# %% [markdown] lang="zh"
# 这张表说明：两种**归一化**里，最要紧的是批归一化，没有它，同一个网络学得慢得多；原始像素的害处小一些，因为批归一化会把第一层卷积的输出重新缩放。
# 轮数这么少时，**数据增强**并不能提高在同类图上的准确率，换来的是对所示变形的稳健：不用增强训练的网络，图一变形就错得多。
# **大全连接层**给每张特征图的每个位置各配一个权重：参数是几百倍，轮数减半，计算量仍是几倍，得分却低于同样不用增强的小分类头。
# 这说的是代价，不是上限：轮数给得一样多，它能追到相近，但计算量还要再翻一倍（见练习 1）。
#
# 最后的网络用整个训练集训练，测试集只用这一次。

# %%
cnn = make_cnn(1, 10)
seconds = fit(cnn, images[train], labels[train], EPOCHS)
guess = classes_of(predict(cnn, images[test])).cpu().numpy()
cnn_accuracy = float((guess == label[test]).mean())
print(f"CNN: {cnn_accuracy:.3f} in {seconds:.0f} s, SVM: {svm_accuracy:.3f}")

# %% [markdown] lang="en"
# ## Two classes: tree or no tree
#
# Two aerial images of Yellowstone come with hand-drawn boxes around trees. A crop centred on a box is a *tree*; a crop whose centre
# lies in no box's neighbourhood is *none*. The network trains on the left part of the larger image and is tested twice: on its
# right part, without overlap, and on the other image, where light and ground differ. A random split would have mixed neighbours
# that overlap, and would not have shown the second result. The rival is a logistic regression on mean and spread of the three colours; the
# floor is to say *tree* each time, right on half of the other image's crops and on more than half of the right part, where
# trees stand denser.

# %% [markdown] lang="zh"
# ## 二分类：有树还是没树
#
# 两幅黄石公园航拍图带有人工画的树框。以框为中心裁出的小图算*有树*；中心附近没有任何框的算*没树*。网络在较大那幅的左侧训练，测试两次：
# 一次用同一幅的右侧，与训练部分不重叠；一次用另一幅，那里的光照和地面都不同。随机划分会把相互重叠的邻居分到两边，也看不出换一幅图会怎样。
# 这里的对手是只看三个颜色通道均值和标准差的逻辑回归；下限是全猜*有树*：
# 在另一幅图上能对一半；同一幅图的右侧树更密，能对一半以上。


# %% alt_en="Four rows of colour crops seen from above: tree crowns, then ground without trees, from the right part of the training image; the same two from the other image, which is paler and has a road." alt_zh="四行俯视彩色小图：前两行是训练用图右侧的树冠与无树地面；后两行是另一幅图的，颜色更淡，还有公路。"
def tree_crops(name, random):
    """As many crops on boxes as clear of them: (n, 20, 20, 3), labels, x."""
    folder = Path(find_spec("deepforest").origin).parent / "data"
    path = folder / f"2019_YELL_2_{name}.png"
    image = plt.imread(path)[..., :3] * 255  # (height, width, 3)
    objects = ElementTree.parse(path.with_suffix(".xml")).iter("bndbox")
    boxes = np.array([[int(edge.text) for edge in box] for box in objects])
    high = np.array(image.shape[1::-1]) - HALF
    trees = (boxes[:, :2] + boxes[:, 2:]) // 2
    trees = trees[((trees >= HALF) & (trees <= high)).all(axis=1)]
    others = random.integers(HALF, high, size=(8000, 2))
    near = (others[:, None] > boxes[:, :2] - HALF // 2).all(axis=2)
    near &= (others[:, None] < boxes[:, 2:] + HALF // 2).all(axis=2)
    others = others[~near.any(axis=1)][: len(trees)]
    spots, side = np.concatenate([trees, others]) - HALF, 2 * HALF
    crops = [image[y : y + side : 2, x : x + side : 2] for x, y in spots]
    return np.stack(crops), np.repeat([1, 0], len(trees)), spots[:, 0]


def colours(c):
    return np.hstack([c.mean(axis=(1, 2)), c.std(axis=(1, 2))]) / 32


random = np.random.default_rng(SEED)
crops, is_tree, x = tree_crops("528000_4978000_image_crop2", random)
known, known_tree = crops[x < 1400], is_tree[x < 1400]
sets = {"same image": (crops[x >= 1440], is_tree[x >= 1440])}  # no overlap
sets["other image"] = tree_crops("541000_4977000_image_crop", random)[:2]


def as_input(crops):
    return torch.tensor(crops / 64 - 2).float().to(device).movedim(3, 1)


tree_net = make_cnn(channels=3, outputs=1)
inputs, target = as_input(known), torch.tensor(known_tree, device=device)
fit(tree_net, inputs, target, TREE_EPOCHS)
rival = LogisticRegression(max_iter=1000).fit(colours(known), known_tree)
trees = {}
for name, (seen, truth) in sets.items():
    answer = torch.tensor(truth, device=device)
    trees[f"{name}, CNN"] = accuracy(tree_net, as_input(seen), answer)
    trees[f"{name}, colours"] = float(rival.score(colours(seen), truth))
    trees[f"{name}, all trees"] = float(truth.mean())
for name, score in trees.items():
    print(f"{name:24} {score:.3f}")

rows = [c[t == k][:9] for c, t in sets.values() for k in (1, 0)]
plt.imshow(np.vstack([np.hstack(row) for row in rows]) / 255)
plt.yticks([10, 30, 50, 70], ["tree", "none"] * 2)
plt.gca().set(title="Same image above, other image below", xticks=[])
plt.show()

# %% [markdown] lang="en"
# **One logit or two?** Softmax over two logits depends only on their difference: $p_1 = \sigma(z_1 - z_0)$. So replace
# the trained head by two logits, any weights for *none* and those plus the trained ones for *tree*. Loss and
# gradients of the convolutions must stay (the first one is checked). Only one thing differs: the *difference* of the two rows gets twice the gradient
# of the single row, so plain gradient descent moves it twice as fast.

# %% [markdown] lang="zh"
# **一个 logit 还是两个？** 两个 logit 的 softmax 只取决于两者之差：$p_1 = \sigma(z_1 - z_0)$。于是把训练好的分类头换成两个 logit：*没树*的权重随便取，
# *有树*的取它加上训练好的权重。损失和卷积层的梯度都必须不变（下面查第一层）。只有一处不同：两行之*差*得到的梯度是单行的两倍，所以普通梯度下降会让它快一倍。

# %%
body, one = tree_net[:-1], tree_net[-1]
two = nn.Linear(one.in_features, 2, device=device)
with torch.no_grad():
    two.weight[1] = two.weight[0] + one.weight[0]
    two.bias[1] = two.bias[0] + one.bias[0]
found = []
for head in (one, two):
    loss, weights = loss_of(head(body(inputs)), target), head.weight
    found.append((loss, *torch.autograd.grad(loss, (body[0].weight, weights))))
loss_gap, gap, _ = [(a - b).abs().max().item() for a, b in zip(*found)]
twice = (found[1][2].diff(dim=0).norm() / found[0][2].norm()).item()
print(f"gaps: loss {loss_gap:.0e}, gradient {gap:.0e}; head x {twice:.2f}")

# %% [markdown] lang="en"
# ## Results
#
# The CNN beats the support vector machine, but the rival is close: silhouettes that fill their frame suit a method that compares
# pixels, and a baseline of a few lines deserves to be tried first. One accuracy hides ten: the matrix shows which animals are
# taken for which.

# %% [markdown] lang="zh"
# ## 结果
#
# CNN 胜过支持向量机，但对手跟得很紧：剪影撑满画面，正适合逐像素比较的对手；几行代码的基线值得先试。
# 一个准确率背后藏着十个：混淆矩阵（confusion matrix）显示哪种动物被认成了哪种。

# %% alt_en="Confusion matrix of ten animals: a strong diagonal; most errors among four-legged animals such as cow, dog, horse and sheep." alt_zh="十种动物的混淆矩阵：绝大多数落在对角线上；错误多在牛、狗、马、羊等四足动物之间。"
panel = plt.figure(figsize=(6, 6), layout="constrained").gca()
style = {"colorbar": False, "ax": panel, "display_labels": ANIMALS}
shown = ConfusionMatrixDisplay.from_predictions(label[test], guess, **style)
panel.tick_params("x", rotation=60)
panel.set(title="Test images", xlabel="CNN says", ylabel="truth")
recall = shown.confusion_matrix.diagonal() / np.bincount(label[test])
plt.show()

# %%
results = {"accuracy, CNN": cnn_accuracy, "accuracy, SVM": svm_accuracy}
results["worst class, CNN"] = float(recall.min())
results |= {f"trees, {name}": score for name, score in trees.items()}
results |= {f"validation accuracy, {k}": float(v) for k, v in arm.items()}

# %% [markdown] lang="en"
# ## Checked claims
#
# - The copied network for 128 × 128 pixels has 16,258,177 parameters, more than 99 % of them in one layer.
# - With as large a dense layer at 28 × 28 pixels it has more than 600 times the parameters of the network with global pooling…
# - …and in half the epochs needs more than 4 times its multiplications…
# - …yet is at least 3 points worse on the validation part than that network without augmentation.
# - The CNN names at least 94 % of the test animals right, and between its best and its worst animal lie at least 3 points.
# - It beats the support vector machine.
# - Without batch normalization the same network is at least 15 points worse on the same budget.
# - Raw pixels with batch normalization are at least 10 points better than scaled ones without.
# - Without augmentation the network is at most 6 points worse than the CNN on pictures as they are…
# - …and at least 4 points worse on warped ones.
# - Trees: on the right part of the image that they trained on, the colours are at least 10 points above saying *tree* each time…
# - …and the network is at least 2 points above the colours…
# - …but on the other image neither of them reaches 65 %.
# - One logit and two give the same loss and the same gradient of the first convolution within 0.00001, and the
#   difference of the two rows gets twice the gradient, within 0.001.

# %% [markdown] lang="zh"
# ## 已验证的结论
#
# - 128 × 128 像素下，流传的网络有 16,258,177 个参数，99 % 以上都在同一层。
# - 在 28 × 28 像素上配同样大的全连接层，参数是全局池化网络的 600 倍以上；
# - 轮数减半，乘法次数仍是 4 倍以上；
# - 验证准确率却比不用增强的全局池化网络至少低 3 个百分点。
# - CNN 在测试集上至少认对 94 % 的动物，认得最准与最不准的两类至少相差 3 个百分点。
# - CNN 胜过支持向量机。
# - 同样的预算下，去掉批归一化，同一个网络至少差 15 个百分点。
# - 原始像素配批归一化，比缩放过的像素不配批归一化至少高 10 个百分点。
# - 不用数据增强，在原样的图上比 CNN 最多差 6 个百分点；
# - 在变形的图上则至少差 4 个百分点。
# - 树：在训练所用图像的右侧部分，只看颜色的模型比全猜*有树*至少高 10 个百分点；
# - 网络又比只看颜色的模型至少高 2 个百分点；
# - 换到另一幅图，两者都不到 65 %。
# - 一个 logit 与两个 logit 的损失、第一层卷积的梯度相差不超过 0.00001，而两行之差得到的梯度是两倍，误差不超过 0.001。

# %% tags=["checks"]
assert count(copied) == 16258177 < count(copied[4]) / 0.99
assert count(arms["dense head"][0]) > 600 * count(arms["CNN"][0])
assert work["dense head"] > 4 * work["CNN"]
assert arm["dense head"] < arm["no augmentation"] - 0.03
assert cnn_accuracy > 0.94 and np.ptp(recall) > 0.03
assert cnn_accuracy > svm_accuracy
assert arm["no batch norm"] < arm["CNN"] - 0.15
assert arm["raw pixels"] > arm["no batch norm"] + 0.1
assert arm["no augmentation"] > arm["CNN"] - 0.06
assert arm["no augmentation, warped"] < arm["CNN, warped"] - 0.04
assert trees["same image, colours"] > trees["same image, all trees"] + 0.1
assert trees["same image, CNN"] > trees["same image, colours"] + 0.02
assert max(v for k, v in trees.items() if "other" in k) < 0.65
assert max(loss_gap, gap) < 1e-5 and abs(twice - 2) < 1e-3

# %% [markdown] lang="en"
# ## At scale
#
# - With few labelled photographs start from a pretrained network and replace its head: see
#   [transfer learning](../models/transfer-learning.py), the recipe to read next.
# - `torchvision.transforms.v2` holds crops, flips and colour jitter for photographs; a `DataLoader` with several workers reads
#   them from disk while the GPU trains in [mixed precision](../training/mixed-precision.py).
# - The test set must differ from the training set as the real use will: another camera, place or season.

# %% [markdown] lang="zh"
# ## 走向大规模
#
# - 有标注的照片不多时，从预训练网络出发，只换掉分类头：见[迁移学习](../models/transfer-learning.py)，建议接着读这一篇。
# - 照片用的裁剪、翻转、颜色抖动都在 `torchvision.transforms.v2` 里；`DataLoader` 用多个进程从磁盘读图，GPU 同时以[混合精度](../training/mixed-precision.py)训练。
# - 测试集与训练集的差别，要和真实使用时一样大：换相机、换地点、换季节。

# %% [markdown] lang="en"
# ## Exercises
#
# 1. Give the dense head as many epochs as the CNN, then ten times as many to both, with and without augmentation. Which one overfits
#    first, and what does the large layer gain for its work?
# 2. Tune the learning rate on the validation part: a tenth, a third, three times as much. What does a bad choice cost on the same budget?
# 3. Train on crops of both aerial images and test on other images of the package, which show other forests. What is gained?
#
# ## References
#
# - S. Ioffe, C. Szegedy, *Batch Normalization*, ICML 2015.
# - M. Lin, Q. Chen, S. Yan, *Network In Network*, ICLR 2014 (global average pooling).
# - B. G. Weinstein et al., *DeepForest: A Python package for RGB deep learning tree crown delineation*, Methods in Ecology and
#   Evolution 11(12), 2020.

# %% [markdown] lang="zh"
# ## 练习
#
# 1. 让大全连接层训练到与 CNN 同样的轮数，再把两者都训练到十倍轮数，有增强、无增强各一次。哪一个先过拟合？多花的计算量换来了什么？
# 2. 在验证集上调学习率：十分之一、三分之一、三倍。预算不变，选错了要付多大代价？
# 3. 用两幅航拍图的小图一起训练，在包里其他森林的图上测试，能好多少？
#
# ## 参考文献
#
# - S. Ioffe, C. Szegedy, *Batch Normalization*, ICML 2015.
# - M. Lin, Q. Chen, S. Yan, *Network In Network*, ICLR 2014（全局平均池化）。
# - B. G. Weinstein et al., *DeepForest: A Python package for RGB deep learning tree crown delineation*, Methods in Ecology and
#   Evolution 11(12), 2020.
