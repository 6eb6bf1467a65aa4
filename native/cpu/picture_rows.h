// The rows of a convolution's left operand, read straight from the picture: row m is the window under output
// pixel m, its depth runs over (ky, kx, channel). Nothing but one panel of the matrix ever exists.
#pragma once

#include <algorithm>

#include "cpu/dense_rows.h"
#include "runtime/conv_geometry.h"

namespace ipai::IPAI_TARGET {

template <class T>
struct PictureRows {
  const T* picture;
  ConvGeometry geometry;

  // Neighbouring windows overlap: what a panel reads is mostly there already.
  void prefetch(int64_t, int64_t, int64_t, int64_t) const {}

  template <class Element>
  void pack(int64_t first_row, int rows, int64_t first_depth, int64_t depth, Element* panel,
            int64_t panel_stride) const {
    const ConvGeometry& g = geometry;
    int64_t x = first_row % g.out_width;
    int64_t y = first_row / g.out_width % g.out_height;
    int64_t sample = first_row / g.out_width / g.out_height;
    for (int r = 0; r < rows; ++r) {
      const T* sample_picture = picture + sample * g.height * g.width * g.channels;
      pack_window(sample_picture, y * g.stride - g.top, x * g.stride - g.left, first_depth, depth,
                  panel + r * panel_stride);
      if (++x == g.out_width) {
        x = 0;
        if (++y == g.out_height) {
          y = 0;
          ++sample;
        }
      }
    }
  }

 private:
  // [first, first + count) of the window whose corner is pixel (y, x) of the view, cut at the window's rows.
  template <class Element>
  void pack_window(const T* sample, int64_t y, int64_t x, int64_t first, int64_t count,
                   Element* target) const {
    const ConvGeometry& g = geometry;
    const int64_t window_row = g.kernel_width * g.channels;
    for (int64_t at = first; at < first + count;) {
      const int64_t ky = at / window_row;
      const int64_t begin = at - ky * window_row;
      const int64_t end = std::min(window_row, begin + first + count - at);
      const int64_t view_y = y + ky;
      if (view_y < 0 || view_y >= g.view_height) {
        std::fill_n(target, end - begin, Element{});
      } else if (g.upsamples()) {
        const int64_t source_y = view_y * g.height / g.view_height;
        pack_upsampled(sample + source_y * g.width * g.channels, x, begin, end, target);
      } else {
        pack_line(sample + view_y * g.width * g.channels, x, begin, end, target);
      }
      target += end - begin;
      at += end - begin;
    }
  }

  // Elements [begin, end) of a window's row are neighbours in the picture's line; those beside the line are
  // zero.
  template <class Element>
  void pack_line(const T* line, int64_t x, int64_t begin, int64_t end, Element* target) const {
    const int64_t origin = x * geometry.channels;
    const int64_t inside_begin = std::clamp(-origin, begin, end);
    const int64_t inside_end = std::clamp(geometry.width * geometry.channels - origin, inside_begin, end);
    std::fill_n(target, inside_begin - begin, Element{});
    copy_elements(line + origin + inside_begin, inside_end - inside_begin, target + (inside_begin - begin));
    std::fill_n(target + (inside_end - begin), end - inside_end, Element{});
  }

  // As pack_line, pixel by pixel, because neighbours in the view may be one pixel of the picture.
  template <class Element>
  void pack_upsampled(const T* line, int64_t x, int64_t begin, int64_t end, Element* target) const {
    const ConvGeometry& g = geometry;
    for (int64_t at = begin; at < end;) {
      const int64_t kx = at / g.channels;
      const int64_t channel = at - kx * g.channels;
      const int64_t count = std::min(g.channels - channel, end - at);
      const int64_t view_x = x + kx;
      if (view_x < 0 || view_x >= g.view_width) {
        std::fill_n(target, count, Element{});
      } else {
        const int64_t source_x = view_x * g.width / g.view_width;
        copy_elements(line + source_x * g.channels + channel, count, target);
      }
      target += count;
      at += count;
    }
  }
};

}  // namespace ipai::IPAI_TARGET
