"""Attention over tokens [batch, tokens, channels], heads side by side in the channels."""

import torch
import torch.nn.functional as F


def attention(query, key, value, heads, causal=False):
    """softmax(q·kᵀ/√d)·v per head."""
    q, k, v = (split_heads(x, heads) for x in (query, key, value))
    return join_heads(F.scaled_dot_product_attention(q, k, v, is_causal=causal))


def decoupled_attention(query, key, value, image_key, image_value, image_scale, heads):
    """Attention to text plus `image_scale` times attention to image tokens (Ye et al. 2023, eq. 5)."""
    q, k, v, image_k, image_v = (split_heads(x, heads) for x in (query, key, value, image_key, image_value))
    text = F.scaled_dot_product_attention(q, k, v)
    image = F.scaled_dot_product_attention(q, image_k, image_v)
    return join_heads(torch.add(text, image, alpha=image_scale))


def split_heads(x, heads):
    """[B, N, heads·D] → [B, heads, N, D]"""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def join_heads(x):
    """[B, heads, N, D] → [B, N, heads·D]"""
    return x.transpose(1, 2).flatten(2)
